#pragma once

#include <string>

namespace chexnet_trt::cuda {

struct Device {
  std::string name;
  int major = 0;  ///< compute capability
  int minor = 0;
  int multiprocessors = 0;
  int driver = 0;  ///< 13000 for 13.0
};

/// Why the first GPU cannot be used; empty when it can.
std::string device_missing();
/// The first GPU. Raises BackendError when there is none.
Device first_device();

}  // namespace chexnet_trt::cuda
