#pragma once

#include <memory>
#include <string>

#include "backends/backend.hpp"

namespace chexnet_trt::cuda {

/// Compiles without a GPU, for `cannot_run` says why. Fusion and memory plan are as for any GPU;
/// every convolution gets the tile that all GPUs have, as none can be timed. So no GPU's fingerprint
/// is this one's: a GPU that loads such an engine compiles its graph anew, with timing.
std::unique_ptr<Backend> make_deviceless_backend(std::string cannot_run);

}  // namespace chexnet_trt::cuda
