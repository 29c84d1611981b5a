#include <algorithm>

#include "graph/rewriter.hpp"
#include "passes/passes.hpp"

// Before:      y = identity(x)                          After:  users of y read x
//              y = cast(x) to x's type
//              y = reshape(x) to x's shape
//              y = transpose(x) in x's order
//              y = pad(x) by nothing
//              y = slice(x) of everything
//              y = concat(x)
//              y = reduce(x) over no axes
// Before:      y = transpose(transpose(x))              After:  y = one transpose of x, or x
// Before:      y = reshape(reshape(x))                  After:  y = one reshape of x, or x
// Conditions:  none.

namespace chexnet_trt::passes {
namespace {

bool all_zero(const Axes& values) {
  return std::all_of(values.begin(), values.end(), [](std::int64_t value) { return value == 0; });
}

bool changes_nothing(const Graph& graph, const Node& node) {
  if (node.inputs.empty() || node.type != graph.node(node.inputs[0]).type) return false;
  switch (node.op) {
    case Op::kIdentity:
    case Op::kCast:
    case Op::kReshape: return true;
    case Op::kConcat: return node.inputs.size() == 1;
    case Op::kTranspose: {
      const Axes& permutation = std::get<TransposeAttributes>(node.attributes).permutation;
      return std::is_sorted(permutation.begin(), permutation.end());
    }
    case Op::kPad: {
      const auto& pad = std::get<PadAttributes>(node.attributes);
      return all_zero(pad.pads_begin) && all_zero(pad.pads_end);
    }
    case Op::kSlice: {
      const Axes& strides = std::get<SliceAttributes>(node.attributes).strides;
      return std::all_of(strides.begin(), strides.end(),
                         [](std::int64_t stride) { return stride > 0; });
    }
    case Op::kReduce: return std::get<ReduceAttributes>(node.attributes).axes.empty();
    default: return false;
  }
}

/// The new graph's node that computes `node`, a transpose or reshape, from the operand of its
/// operand; -1 when the operand is of another kind.
NodeId merged(GraphRewriter& rewriter, const Node& node) {
  if (node.op != Op::kTranspose && node.op != Op::kReshape) return -1;
  Graph& result = rewriter.result();
  const Node inner = result.node(rewriter.mapped(node.inputs[0]));
  if (inner.op != node.op) return -1;
  const NodeId origin = inner.inputs[0];
  if (node.op == Op::kReshape) {
    if (result.node(origin).type == node.type) return origin;
    return result.add(node.op, node.name, {origin}, node.attributes);
  }
  const Axes& first = std::get<TransposeAttributes>(inner.attributes).permutation;
  Axes permutation;
  for (const std::int64_t axis : std::get<TransposeAttributes>(node.attributes).permutation) {
    permutation.push_back(first[static_cast<std::size_t>(axis)]);
  }
  if (std::is_sorted(permutation.begin(), permutation.end())) return origin;
  return result.add(node.op, node.name, {origin}, TransposeAttributes{permutation});
}

}  // namespace

Graph remove_identities(const Graph& graph, int& rewrites) {
  GraphRewriter rewriter(graph);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = graph.node(id);
    if (changes_nothing(graph, node)) {
      rewriter.replace(id, rewriter.mapped(node.inputs[0]));
      ++rewrites;
      continue;
    }
    const NodeId shorter = merged(rewriter, node);
    if (shorter < 0) {
      rewriter.copy(id);
      continue;
    }
    rewriter.replace(id, shorter);
    ++rewrites;
  }
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
