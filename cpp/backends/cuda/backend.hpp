#pragma once

#include <memory>
#include <string>

#include "backends/backend.hpp"

namespace chexnet_trt::cuda {

/// Why no GPU here can run this backend; empty when one can.
std::string missing();

/// For the first GPU. Raises BackendError when there is none.
std::unique_ptr<Backend> make_backend();

}  // namespace chexnet_trt::cuda
