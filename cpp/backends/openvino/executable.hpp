#pragma once

#include <memory>
#include <openvino/runtime/compiled_model.hpp>
#include <string>

#include "backends/backend.hpp"

namespace chexnet_trt::openvino {

/// `kept` lives as long as the executable and its executions: memory that `model` reads in place.
std::unique_ptr<Executable> make_executable(ov::CompiledModel model, std::string fingerprint,
                                            const CompileOptions& options,
                                            std::shared_ptr<const void> kept);

}  // namespace chexnet_trt::openvino
