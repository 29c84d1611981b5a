#pragma once

#include <openvino/core/shape.hpp>
#include <openvino/core/type/element_type.hpp>

#include "common/element_type.hpp"
#include "common/shape.hpp"

namespace chexnet_trt::openvino {

ov::element::Type element_type_of(ElementType type);

/// `shape` for one batch size.
ov::Shape shape_of(const Shape& shape, std::int64_t batch);

}  // namespace chexnet_trt::openvino
