#pragma once

#include <string>

#include "backends/backend.hpp"
#include "backends/cuda/program.hpp"
#include "graph/graph.hpp"

namespace chexnet_trt::cuda {

// A walk over the graph: what no step has taken becomes a step by its lowering (fusion/lowerings.hpp),
// which takes what follows it (fusion/chain.hpp).

/// The steps that compute `graph` for `batch` images, each with as much of what surrounds it as its
/// epilogue takes. Raises InputError naming the node that this backend does not compute.
Program fuse(const Graph& graph, std::int64_t batch, Precision precision);

/// Why no node of `op` can be lowered; empty when some can.
std::string unsupported_reason(Op op);

}  // namespace chexnet_trt::cuda
