#pragma once

#include <functional>
#include <memory>

#include "backends/backend.hpp"
#include "backends/cuda/planned_program.hpp"

namespace chexnet_trt::cuda {

using CreateExecution = std::function<std::unique_ptr<Execution>()>;

/// Layers and blob of `planned`; executions by `create`.
std::unique_ptr<Executable> make_executable(std::shared_ptr<const PlannedProgram> planned,
                                            CreateExecution create);

}  // namespace chexnet_trt::cuda
