#include "backends/cuda/device.hpp"

#include <cuda_runtime_api.h>

#include "backends/cuda/backend.hpp"
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
  std::string reason;
  for (int number = 0; number < count; ++number) {
    const std::string own = too_old(find_device(number));
    if (own.empty()) return "";
    reason += (reason.empty() ? "" : "; ") + own;
  }
  return reason;
}

std::string too_old(const Device& device) {
  if (device.major >= kLeastMajor) return "";
  return "'" + device.name + "' has compute capability " + std::to_string(device.major) + "." +
         std::to_string(device.minor) + ", and 8.0 is needed";
}

int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();
  return 0;
}

Device find_device(int number) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, number), "asking for the GPU");
  Device device;
  device.number = number;
  device.name = properties.name;
  device.major = properties.major;
  device.minor = properties.minor;
  device.multiprocessors = properties.multiProcessorCount;
  check(cudaDriverGetVersion(&device.driver), "asking for the driver");
  return device;
}

CurrentDevice::CurrentDevice(int number) {
  check(cudaGetDevice(&before_), "asking for the GPU");
  check(cudaSetDevice(number), "choosing the GPU");
}

CurrentDevice::~CurrentDevice() { cudaSetDevice(before_); }

}  // namespace chexnet_trt::cuda
