#pragma once

#include <cstddef>
#include <optional>

#include "common/element_type.hpp"
#include "uff/model.hpp"

namespace chexnet_trt::uff {

/// The type that values of a UFF type have in the graph: float16 becomes float32, int16 int32. None
/// for kInvalid and unknown numbers.
std::optional<ElementType> element_type_of(DataType type);

}  // namespace chexnet_trt::uff
