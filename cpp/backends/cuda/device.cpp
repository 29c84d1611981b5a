#include "backends/cuda/device.hpp"

#include <cuda_runtime_api.h>

#include "backends/cuda/device_memory.hpp"

namespace chexnet_trt::cuda {
namespace {

/// cp.async and the matrix instructions of 8 bits.
constexpr int kLeastMajor = 8;

}  // namespace

std::string device_missing() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();
    return std::string("no NVIDIA GPU can be used here (") + cudaGetErrorString(status) +
           "): install NVIDIA's driver, or run on a machine with such a GPU";
  }
  if (count == 0) return "no NVIDIA GPU is visible here";
  const Device device = first_device();
  if (device.major >= kLeastMajor) return "";
  return "'" + device.name + "' has compute capability " + std::to_string(device.major) + "." +
         std::to_string(device.minor) + ", and 8.0 is needed";
}

Device first_device() {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "asking for the GPU");
  Device device;
  device.name = properties.name;
  device.major = properties.major;
  device.minor = properties.minor;
  device.multiprocessors = properties.multiProcessorCount;
  check(cudaDriverGetVersion(&device.driver), "asking for the driver");
  return device;
}

}  // namespace chexnet_trt::cuda
