#pragma once

#include <memory>
#include <string>

#include "backends/backend.hpp"
#include "backends/cuda/bound_step.hpp"
#include "backends/cuda/device_constants.hpp"
#include "backends/cuda/memory_plan.hpp"
#include "backends/cuda/program.hpp"
#include "backends/cuda/tactics.hpp"
#include "graph/graph.hpp"

namespace chexnet_trt::cuda {

/// An input or output of the network in device memory.
struct BindingInfo {
  std::size_t bytes = 0;
  bool is_input = false;
};

/// All that the executions of one batch size share.
struct CompiledProgram {
  /// On the current device, which is `device_number`.
  CompiledProgram(const Graph& graph, const CompileOptions& compile_options, int device_number);

  CompileOptions options;
  int device = 0;
  Program program;
  MemoryPlan plan;
  std::vector<BindingInfo> bindings;
  DeviceConstants constants;
  Tactics tactics;
  std::string blob_key;
};

/// The memory of one execution, and the steps in it.
struct ProgramMemory {
  explicit ProgramMemory(const CompiledProgram& compiled);

  DeviceBuffer arena;
  std::vector<DeviceBuffer> bindings;
  std::vector<BoundStep> steps;
};

std::unique_ptr<Executable> make_executable(std::shared_ptr<const CompiledProgram> compiled);
std::unique_ptr<Execution> make_execution(std::shared_ptr<const CompiledProgram> compiled);

}  // namespace chexnet_trt::cuda
