#include "graph/rewriter.hpp"
#include "passes/passes.hpp"

// Before:      x = relu(a); y = tanh(a); output y
// After:       y = tanh(a); output y
// Conditions:  no output depends on the node, and it is no input of the network.

namespace chexnet_trt::passes {

Graph remove_dead_nodes(const Graph& graph, int& rewrites) {
  const auto count = static_cast<NodeId>(graph.nodes().size());
  std::vector<bool> alive(graph.nodes().size(), false);
  for (const GraphOutput& output : graph.outputs()) {
    alive[static_cast<std::size_t>(output.value)] = true;
  }
  for (NodeId id = count; id-- > 0;) {
    if (!alive[static_cast<std::size_t>(id)]) continue;
    for (const NodeId input : graph.node(id).inputs) alive[static_cast<std::size_t>(input)] = true;
  }
  GraphRewriter rewriter(graph);
  for (NodeId id = 0; id < count; ++id) {
    if (alive[static_cast<std::size_t>(id)] || graph.node(id).op == Op::kInput) {
      rewriter.copy(id);
    } else {
      ++rewrites;
    }
  }
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
