#pragma once

#include <string>

#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// All that the time of a convolution step depends on, but for the device: a layer of the same key,
/// in this network or in another, takes as long.
std::string timing_key(const Program& program, const Step& step);
/// The same of two that one kernel computes.
std::string timing_key(const Program& program, const BackToBack& pair);

}  // namespace chexnet_trt::cuda
