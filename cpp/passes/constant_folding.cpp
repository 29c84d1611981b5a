#include <algorithm>

#include "graph/op_table.hpp"
#include "graph/rewriter.hpp"
#include "passes/passes.hpp"

// Before:      y = op(c1, c2, ...)
// After:       y = constant
// Conditions:  all operands are constants, the op has an evaluator, and the result has at most
//              2^28 elements.

namespace chexnet_trt::passes {

Graph constant_folding(const Graph& graph, int& rewrites) {
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;
  GraphRewriter rewriter(graph);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = graph.node(id);
    std::vector<Tensor> operands;
    if (!node.inputs.empty() && info_of(node.op).evaluate != nullptr) {
      for (const NodeId input : node.inputs) {
        const Tensor* value = rewriter.result().constant(rewriter.mapped(input));
        if (value != nullptr) operands.push_back(*value);
      }
    }
    const bool foldable = !operands.empty() && operands.size() == node.inputs.size() &&
                          element_count(node.type.shape) <= kMaxElements;
    if (!foldable) {
      rewriter.copy(id);
      continue;
    }
    Tensor value = *evaluate(node.op, operands, node.attributes);
    rewriter.replace(id, rewriter.result().add_constant(node.name, std::move(value)));
    ++rewrites;
  }
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
