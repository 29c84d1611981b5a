#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "backends/backend.hpp"
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

/// What one batch size of a graph compiles to, as far as that needs no GPU; with its tactics it is
/// what a blob holds.
struct PlannedProgram {
  /// Raises InputError when the batch is not 1 or more, and when it is more than kernels count.
  PlannedProgram(const Graph& graph, const CompileOptions& compile_options);

  CompileOptions options;
  Program program;
  MemoryPlan plan;
  std::vector<BindingInfo> bindings;
  Tactics tactics;
  std::string blob_key;
};

}  // namespace chexnet_trt::cuda
