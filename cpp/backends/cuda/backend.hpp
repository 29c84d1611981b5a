#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/backend.hpp"

namespace chexnet_trt::cuda {

/// Why no GPU here can run this backend; empty when one can.
std::string cannot_run();

/// The GPUs that CUDA shows; 0 without a driver.
int device_count();

/// Backend::precisions of every GPU that can be used.
std::vector<Precision> precisions();

/// For GPU `device`; where none can be used, one that compiles alone (deviceless_backend.hpp).
/// Raises InputError when that GPU is too old, BackendError when there is none.
std::unique_ptr<Backend> make_backend(int device = 0);

}  // namespace chexnet_trt::cuda
