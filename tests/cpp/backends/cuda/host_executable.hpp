#pragma once

#include <memory>

#include "backends/backend.hpp"

namespace chexnet_trt::testing {

/// Runs a graph as the CUDA backend would, on the host: the same steps in the same memory with the
/// same types, every kernel written once more as plainly as it can be. So a machine without a GPU
/// tests all but the kernels themselves: fusion, memory plan, packing of constants, arguments.
std::unique_ptr<Executable> make_host_executable(const Graph& graph, const CompileOptions& options);

}  // namespace chexnet_trt::testing
