#include "passes/batch_norm.hpp"
#include "passes/channels.hpp"
#include "passes/passes.hpp"

// Before:      y = batch_norm(x)
// After:       y = add(mul(x, scale), shift), of batch_norm.hpp
// Conditions:  the parameters are constants. Runs after fold_batch_norm, so what is left has no
//              convolution before it, as in pre-activation networks.

namespace chexnet_trt::passes {
namespace {

NodeId scale_shift(GraphRewriter& rewriter, const Node& norm, const ChannelAffine& affine) {
  Graph& result = rewriter.result();
  const std::size_t channel =
      channel_axis_of(std::get<BatchNormAttributes>(norm.attributes).layout);
  const auto constant = [&](const char* suffix, const std::vector<double>& values) {
    return result.add_constant(rewriter.unique_name(norm.name + suffix),
                               channel_constant(norm.type.element, values, 4, channel));
  };
  const NodeId x = rewriter.mapped(norm.inputs[0]);
  const NodeId scaled =
      result.add(Op::kBinary, rewriter.unique_name(norm.name + "/mul"),
                 {x, constant("/scale", affine.mul)}, BinaryAttributes{BinaryKind::kMul});
  return result.add(Op::kBinary, norm.name, {scaled, constant("/shift", affine.add)},
                    BinaryAttributes{BinaryKind::kAdd});
}

}  // namespace

Graph batch_norm_to_scale_shift(const Graph& graph, int& rewrites) {
  GraphRewriter rewriter(graph);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = graph.node(id);
    if (const auto affine = batch_norm_affine(graph, node)) {
      rewriter.replace(id, scale_shift(rewriter, node, *affine));
      ++rewrites;
    } else {
      rewriter.copy(id);
    }
  }
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
