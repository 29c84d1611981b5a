#pragma once

#include <string>

namespace chexnet_trt::cuda {

struct Device {
  int number = 0;
  std::string name;
  int major = 0;  ///< compute capability
  int minor = 0;
  int multiprocessors = 0;
  int driver = 0;  ///< 13000 for 13.0
};

/// Why no GPU can be used; empty when one can.
std::string device_missing();
/// Raises BackendError when there is no such GPU.
Device find_device(int number);
/// Why `device` cannot be used; empty when it can.
std::string too_old(const Device& device);

/// Makes a GPU the one that this thread's calls are for, until destroyed.
class CurrentDevice {
 public:
  /// Raises BackendError.
  explicit CurrentDevice(int number);
  ~CurrentDevice();
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int before_ = 0;
};

}  // namespace chexnet_trt::cuda
