#pragma once

#include <memory>

#include "backends/backend.hpp"

namespace chexnet_trt::openvino {

/// The CPU backend. Raises BackendError when OpenVINO's CPU plugin cannot be loaded.
std::unique_ptr<Backend> make_backend();

}  // namespace chexnet_trt::openvino
