#pragma once

#include <cstdint>

namespace chexnet_trt {

/// IEEE 754 binary16 and bfloat16 <-> binary32, rounding to nearest even; NaN stays NaN.
float float_from_half(std::uint16_t bits);
std::uint16_t half_from_float(float value);
float float_from_bfloat16(std::uint16_t bits);
std::uint16_t bfloat16_from_float(float value);

}  // namespace chexnet_trt
