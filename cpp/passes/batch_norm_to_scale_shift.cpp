#include <cmath>

#include "passes/channels.hpp"
#include "passes/passes.hpp"

// Before:      y = batch_norm(x)
// After:       y = add(mul(x, s), beta - mean * s)   with s = gamma / sqrt(variance + epsilon)
// Conditions:  the parameters are constants. Runs after fold_batch_norm, so what is left has no
//              convolution before it, as in pre-activation networks. Computed in float64.

namespace chexnet_trt::passes {
namespace {

bool has_constant_parameters(const Graph& graph, const Node& node) {
  if (node.op != Op::kBatchNorm) return false;
  for (std::size_t index = 1; index < node.inputs.size(); ++index) {
    if (graph.constant(node.inputs[index]) == nullptr) return false;
  }
  return true;
}

NodeId scale_shift(GraphRewriter& rewriter, const Node& norm) {
  const Graph& graph = rewriter.source();
  Graph& result = rewriter.result();
  const auto& attributes = std::get<BatchNormAttributes>(norm.attributes);
  const auto parameter = [&](std::size_t i) {
    return graph.constant(norm.inputs[i])->to_doubles();
  };
  std::vector<double> scale = parameter(1);
  std::vector<double> shift = parameter(2);
  const std::vector<double> mean = parameter(3);
  const std::vector<double> variance = parameter(4);
  for (std::size_t c = 0; c < scale.size(); ++c) {
    scale[c] /= std::sqrt(variance[c] + attributes.epsilon);
    shift[c] -= mean[c] * scale[c];
  }
  const auto constant = [&](const char* suffix, const std::vector<double>& values) {
    return result.add_constant(
        rewriter.unique_name(norm.name + suffix),
        channel_constant(norm.type.element, values, 4, channel_axis_of(attributes.layout)));
  };
  const NodeId x = rewriter.mapped(norm.inputs[0]);
  const NodeId scaled =
      result.add(Op::kBinary, rewriter.unique_name(norm.name + "/mul"),
                 {x, constant("/scale", scale)}, BinaryAttributes{BinaryKind::kMul});
  return result.add(Op::kBinary, norm.name, {scaled, constant("/shift", shift)},
                    BinaryAttributes{BinaryKind::kAdd});
}

}  // namespace

Graph batch_norm_to_scale_shift(const Graph& graph, int& rewrites) {
  GraphRewriter rewriter(graph);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = graph.node(id);
    if (has_constant_parameters(graph, node)) {
      rewriter.replace(id, scale_shift(rewriter, node));
      ++rewrites;
    } else {
      rewriter.copy(id);
    }
  }
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
