#pragma once

#include <cstddef>
#include <cstdint>
#include <openvino/core/shape.hpp>
#include <openvino/core/type/element_type.hpp>
#include <optional>

#include "common/element_type.hpp"
#include "common/shape.hpp"

namespace chexnet_trt::openvino {

ov::element::Type element_type_of(ElementType type);

/// `shape` for one batch size.
ov::Shape shape_of(const Shape& shape, std::int64_t batch);

/// OpenVINO 2026.4 keeps and computes int64 in 32 bits on a CPU. The first of `count` int64 values
/// that does not survive that; results beyond 32 bits are lost without a word.
std::optional<std::int64_t> first_beyond_int32(const void* values, std::size_t count);

}  // namespace chexnet_trt::openvino
