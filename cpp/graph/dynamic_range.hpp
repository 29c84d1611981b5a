#pragma once

#include <map>
#include <string>

namespace chexnet_trt {

/// amax (above 0, finite) by value name: the values of `name` are quantised over [-amax, amax] as
/// int8 (scale amax / 127) or over [0, amax] as uint8 (scale amax / 255).
using DynamicRanges = std::map<std::string, double>;

}  // namespace chexnet_trt
