#pragma once

#include <string>

#include "backends/cuda/device.hpp"

namespace chexnet_trt::cuda {

/// Backend::fingerprint of a GPU.
std::string fingerprint_of(const Device& device);
/// The same where there is none, which is no GPU's.
std::string fingerprint_without_device();

}  // namespace chexnet_trt::cuda
