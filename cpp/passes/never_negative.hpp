#pragma once

#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt::passes {

/// One entry a node: true when no element of its value can be below zero, whatever the inputs are.
std::vector<bool> never_negative_values(const Graph& graph);

}  // namespace chexnet_trt::passes
