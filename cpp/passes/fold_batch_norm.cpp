#include "passes/batch_norm.hpp"
#include "passes/channels.hpp"
#include "passes/passes.hpp"

// Before:      y = batch_norm(conv(x, w)) or batch_norm(add(conv(x, w), b))
// After:       y = add(conv(x, w * scale), b * scale + shift), of batch_norm.hpp
// Conditions:  conv is a conv2d or conv_transpose2d; weights, bias and the parameters of the batch
//              norm are constants; nothing else reads conv or add. Computed in float64.

namespace chexnet_trt::passes {
namespace {

struct Match {
  LinearOp linear;
  NodeId add = -1;
  ChannelAffine affine;  ///< of what `linear` computes
};

std::optional<Match> match(const Graph& graph, const std::vector<int>& uses, NodeId id) {
  const Node& norm = graph.node(id);
  auto affine = batch_norm_affine(graph, norm);
  if (!affine) return std::nullopt;
  Match match;
  match.affine = *std::move(affine);
  NodeId source = norm.inputs[0];
  const std::size_t channel =
      channel_axis_of(std::get<BatchNormAttributes>(norm.attributes).layout);
  if (const auto add = constant_operand(graph, source, BinaryKind::kAdd)) {
    const auto bias = per_channel(*add->constant, norm.type.shape, channel);
    if (!bias || uses[static_cast<std::size_t>(source)] != 1) return std::nullopt;
    for (std::size_t c = 0; c < bias->size(); ++c) {
      match.affine.add[c] += (*bias)[c] * match.affine.mul[c];
    }
    match.add = source;
    source = add->value;
  }
  const std::optional<LinearOp> linear = linear_op(graph, source);
  if (!linear || uses[static_cast<std::size_t>(source)] != 1) return std::nullopt;
  if (linear->channel_axis != channel) return std::nullopt;
  match.linear = *linear;
  return match;
}

NodeId apply(GraphRewriter& rewriter, NodeId id, const Match& match) {
  const Node& norm = rewriter.source().node(id);
  const NodeId linear = copy_scaled(rewriter, match.linear, match.affine.mul);
  const NodeId constant = rewriter.result().add_constant(
      rewriter.unique_name(norm.name + "/shift"),
      channel_constant(norm.type.element, match.affine.add, norm.type.shape.size(),
                       match.linear.channel_axis));
  return rewriter.result().add(Op::kBinary, norm.name, {linear, constant},
                               BinaryAttributes{BinaryKind::kAdd});
}

}  // namespace

Graph fold_batch_norm(const Graph& graph, int& rewrites) {
  const auto count = graph.nodes().size();
  const std::vector<int> uses = graph.use_counts();
  std::vector<std::optional<Match>> matches(count);
  std::vector<bool> absorbed(count, false);
  for (std::size_t id = 0; id < count; ++id) {
    matches[id] = match(graph, uses, static_cast<NodeId>(id));
    if (!matches[id]) continue;
    absorbed[static_cast<std::size_t>(matches[id]->linear.id)] = true;
    if (matches[id]->add >= 0) absorbed[static_cast<std::size_t>(matches[id]->add)] = true;
    ++rewrites;
  }
  GraphRewriter rewriter(graph);
  for (std::size_t index = 0; index < count; ++index) {
    const auto id = static_cast<NodeId>(index);
    if (absorbed[index]) continue;
    if (matches[index]) {
      rewriter.replace(id, apply(rewriter, id, *matches[index]));
    } else {
      rewriter.copy(id);
    }
  }
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
