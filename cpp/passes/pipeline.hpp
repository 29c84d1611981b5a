#pragma once

#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt {

/// How often a pass rewrote something.
struct PassCount {
  std::string pass;
  int rewrites = 0;
};

/// Runs the ordered list of passes in pipeline.cpp, verifying the graph after each. Inputs and
/// outputs keep their names, types and order. `counts`, if given, receives one entry a pass.
Graph optimize(const Graph& graph, std::vector<PassCount>* counts = nullptr);

}  // namespace chexnet_trt
