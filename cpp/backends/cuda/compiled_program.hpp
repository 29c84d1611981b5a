#pragma once

#include <memory>
#include <vector>

#include "backends/cuda/bound_step.hpp"
#include "backends/cuda/device_constants.hpp"
#include "backends/cuda/planned_program.hpp"

namespace chexnet_trt::cuda {

/// All that the executions of one batch size share on a GPU.
struct CompiledProgram : PlannedProgram {
  /// On the current device, which is `device_number`.
  CompiledProgram(const Graph& graph, const CompileOptions& compile_options, int device_number);

  int device = 0;
  DeviceConstants constants;
};

/// The memory of one execution, and the steps in it.
struct ProgramMemory {
  explicit ProgramMemory(const CompiledProgram& compiled);

  DeviceBuffer arena;
  std::vector<DeviceBuffer> bindings;
  std::vector<BoundStep> steps;
};

std::unique_ptr<Execution> make_execution(std::shared_ptr<const CompiledProgram> compiled);

}  // namespace chexnet_trt::cuda
