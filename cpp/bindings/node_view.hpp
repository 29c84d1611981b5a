#pragma once

#include <memory>

#include "graph/graph.hpp"

namespace chexnet_trt {

/// A node together with the graph that it lies in.
struct NodeView {
  std::shared_ptr<const Graph> graph;
  NodeId id = -1;

  const Node& node() const { return graph->node(id); }
};

}  // namespace chexnet_trt
