#include "backends/cuda/fingerprint.hpp"

namespace chexnet_trt::cuda {
namespace {

/// Counts up when kernels or tiles change: blobs and timings of another number are not used.
constexpr int kKernels = 6;

std::string kernels() { return "cuda kernels " + std::to_string(kKernels) + "; "; }

}  // namespace

std::string fingerprint_of(const Device& device) {
  return kernels() + device.name + " " + std::to_string(device.major) + "." +
         std::to_string(device.minor) + " " + std::to_string(device.multiprocessors) +
         " multiprocessors; driver for CUDA " + std::to_string(device.driver);
}

std::string fingerprint_without_device() { return kernels() + "no GPU"; }

}  // namespace chexnet_trt::cuda
