#include <cstdint>
#include <optional>

#include "graph/op_table.hpp"
#include "graph/rewriter.hpp"
#include "passes/passes.hpp"

// Before:      y = op(c1, c2, ...)
// After:       y = constant
// Conditions:  all operands are constants, the op has an evaluator, and the constants of the graph
//              do not come to take more than 1 GiB together: a small file can name large results.

namespace chexnet_trt::passes {
namespace {

std::uint64_t constant_bytes(const Graph& graph) {
  std::uint64_t total = 0;
  for (const Node& node : graph.nodes()) {
    if (const auto* constant = std::get_if<ConstantAttributes>(&node.attributes)) {
      total += constant->value.bytes().size;
    }
  }
  return total;
}

/// Empty unless all operands are constants and the op has an evaluator.
std::optional<std::vector<Tensor>> constant_operands(GraphRewriter& rewriter, const Node& node) {
  if (node.inputs.empty() || info_of(node.op).evaluate == nullptr) return std::nullopt;
  std::vector<Tensor> operands;
  operands.reserve(node.inputs.size());
  for (const NodeId input : node.inputs) {
    const Tensor* value = rewriter.result().constant(rewriter.mapped(input));
    if (value == nullptr) return std::nullopt;
    operands.push_back(*value);
  }
  return operands;
}

}  // namespace

Graph constant_folding(const Graph& graph, int& rewrites) {
  return constant_folding(graph, rewrites, std::uint64_t{1} << 30U);
}

Graph constant_folding(const Graph& graph, int& rewrites, std::uint64_t max_bytes) {
  std::uint64_t total = constant_bytes(graph);
  GraphRewriter rewriter(graph);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = graph.node(id);
    const auto operands = constant_operands(rewriter, node);
    const std::uint64_t size = operands
                                   ? static_cast<std::uint64_t>(element_count(node.type.shape)) *
                                         size_of(node.type.element)
                                   : 0;
    if (!operands || total + size > max_bytes) {
      rewriter.copy(id);
      continue;
    }
    Tensor value = *evaluate(node.op, *operands, node.attributes);
    rewriter.replace(id, rewriter.result().add_constant(node.name, std::move(value)));
    total += size;
    ++rewrites;
  }
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
