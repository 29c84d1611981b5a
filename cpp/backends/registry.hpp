#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.hpp"

namespace chexnet_trt {

struct BackendStatus {
  std::string name;
  /// How many devices of its kind are here: they are numbered from 0.
  int devices = 0;
  /// Empty when it builds engines here; else why not and how to get it.
  std::string missing;
  /// Empty when it runs engines here; else why not.
  std::string cannot_run;
};

/// Every backend that the project has, built in or not.
std::vector<BackendStatus> backends();

/// The backend called `name`, "cuda" or, for another device than the first, "cuda:1"; made on first
/// use and shared. Raises InputError saying why when it is not there.
Backend& backend(std::string_view name);

/// What `backend` calls device `device`, of a backend without one in its name.
std::string on_device(std::string_view backend, int device);

}  // namespace chexnet_trt
