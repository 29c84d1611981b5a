#include <vector>

#include "passes/channels.hpp"
#include "passes/passes.hpp"

// Before:      y = average_pool(conv2d(x, w)) or average_pool(add(conv2d(x, w), b))
// After:       y = conv2d(average_pool(x), w) or add(conv2d(average_pool(x), w), b)
// Conditions:  the convolution is 1x1 with strides 1 and no pads; b is constant, one number a
//              channel; nothing else reads conv2d or add; the pooling has fewer pixels than x.
//              Both are linear and an average divides by the pixels inside, so the order is free;
//              the convolution then has fewer pixels to compute (DenseNet's transitions: a
//              quarter).

namespace chexnet_trt::passes {
namespace {

struct PointwiseConv {
  NodeId conv = -1;
  NodeId bias = -1;  ///< the add, or -1
};

bool is_pointwise(const Graph& graph, const Node& node, TensorLayout layout) {
  if (node.op != Op::kConv2D) return false;
  const auto& conv = std::get<ConvAttributes>(node.attributes);
  constexpr Spatial kOnes{1, 1};
  constexpr Spatial kZeros{0, 0};
  const Shape& weights = graph.node(node.inputs[1]).type.shape;
  return conv.layout == layout && weights[0] == 1 && weights[1] == 1 && conv.strides == kOnes &&
         conv.pads_begin == kZeros && conv.pads_end == kZeros;
}

class Matcher {
 public:
  explicit Matcher(const Graph& graph) : graph_(graph), uses_(graph.use_counts()) {}

  /// The convolutions right above the pooling, the nearest first.
  std::vector<PointwiseConv> match(NodeId id) const {
    std::vector<PointwiseConv> found;
    const Node& pool = graph_.node(id);
    if (pool.op != Op::kAveragePool) return found;
    const auto& attributes = std::get<PoolAttributes>(pool.attributes);
    if (attributes.strides[0] * attributes.strides[1] == 1) return found;
    NodeId source = pool.inputs[0];
    while (const auto conv = match_conv(source, attributes.layout)) {
      found.push_back(*conv);
      source = graph_.node(conv->conv).inputs[0];
    }
    return found;
  }

 private:
  bool is_read_once(NodeId id) const { return uses_[static_cast<std::size_t>(id)] == 1; }

  std::optional<PointwiseConv> match_conv(NodeId source, TensorLayout layout) const {
    PointwiseConv found{source, -1};
    if (!is_read_once(source)) return std::nullopt;
    if (const auto bias = constant_operand(graph_, source, BinaryKind::kAdd)) {
      const Shape& shape = graph_.node(source).type.shape;
      if (!per_channel(*bias->constant, shape, channel_axis_of(layout))) return std::nullopt;
      found = {bias->value, source};
      if (!is_read_once(found.conv)) return std::nullopt;
    }
    if (!is_pointwise(graph_, graph_.node(found.conv), layout)) return std::nullopt;
    return found;
  }

  const Graph& graph_;
  std::vector<int> uses_;
};

/// Copies `id` with `x` for its first variable operand.
NodeId copy_onto(GraphRewriter& rewriter, NodeId id, NodeId old_x, NodeId x) {
  const Node& node = rewriter.source().node(id);
  std::vector<NodeId> inputs;
  for (const NodeId input : node.inputs) {
    inputs.push_back(input == old_x ? x : rewriter.mapped(input));
  }
  return rewriter.result().add(node.op, node.name, inputs, node.attributes);
}

NodeId apply(GraphRewriter& rewriter, NodeId id, const std::vector<PointwiseConv>& convs) {
  const Graph& graph = rewriter.source();
  const NodeId origin = graph.node(convs.back().conv).inputs[0];
  NodeId x = copy_onto(rewriter, id, graph.node(id).inputs[0], rewriter.mapped(origin));
  for (auto conv = convs.rbegin(); conv != convs.rend(); ++conv) {
    x = copy_onto(rewriter, conv->conv, graph.node(conv->conv).inputs[0], x);
    if (conv->bias >= 0) x = copy_onto(rewriter, conv->bias, conv->conv, x);
  }
  return x;
}

}  // namespace

Graph pool_before_conv(const Graph& graph, int& rewrites) {
  const auto count = static_cast<NodeId>(graph.nodes().size());
  const Matcher matcher(graph);
  std::vector<std::vector<PointwiseConv>> matches;
  std::vector<bool> absorbed(graph.nodes().size(), false);
  for (NodeId id = 0; id < count; ++id) {
    matches.push_back(matcher.match(id));
    for (const PointwiseConv& conv : matches.back()) {
      absorbed[static_cast<std::size_t>(conv.conv)] = true;
      if (conv.bias >= 0) absorbed[static_cast<std::size_t>(conv.bias)] = true;
    }
  }
  GraphRewriter rewriter(graph);
  for (NodeId id = 0; id < count; ++id) {
    const auto& convs = matches[static_cast<std::size_t>(id)];
    if (absorbed[static_cast<std::size_t>(id)]) continue;
    if (convs.empty()) {
      rewriter.copy(id);
      continue;
    }
    rewriter.replace(id, apply(rewriter, id, convs));
    rewrites += static_cast<int>(convs.size());
  }
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
