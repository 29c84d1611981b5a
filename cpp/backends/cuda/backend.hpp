#pragma once

#include <memory>
#include <string>

#include "backends/backend.hpp"

namespace chexnet_trt::cuda {

/// Why no GPU here can run this backend; empty when one can.
std::string missing();

/// The GPUs that CUDA shows; 0 without a driver.
int device_count();

/// For GPU `device`. Raises InputError when that is too old, BackendError when there is none.
std::unique_ptr<Backend> make_backend(int device = 0);

}  // namespace chexnet_trt::cuda
