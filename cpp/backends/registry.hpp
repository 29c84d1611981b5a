#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.hpp"

namespace chexnet_trt {

struct BackendStatus {
  std::string name;
  /// Empty when the backend is there; else why not and how to get it.
  std::string missing;
};

/// Every backend that the project has, built in or not.
std::vector<BackendStatus> backends();

/// The backend called `name`, made on first use and shared. Raises InputError saying why when it is
/// not there.
Backend& backend(std::string_view name);

}  // namespace chexnet_trt
