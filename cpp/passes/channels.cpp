#include "passes/channels.hpp"

#include <string>
#include <string_view>

namespace chexnet_trt::passes {
namespace {

std::string scaled_name(const std::string& name) {
  constexpr std::string_view kSuffix = "/scaled";
  const bool has_suffix =
      name.size() > kSuffix.size() && name.substr(name.size() - kSuffix.size()) == kSuffix;
  return has_suffix ? name : name + std::string(kSuffix);
}

}  // namespace

std::optional<LinearOp> linear_op(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  LinearOp linear{id, 0, 0, 0};
  if (node.op == Op::kConv2D) {
    linear.channel_axis = channel_axis_of(std::get<ConvAttributes>(node.attributes).layout);
    linear.weights_axis = 3;
  } else if (node.op == Op::kConvTranspose2D) {
    linear.channel_axis =
        channel_axis_of(std::get<ConvTransposeAttributes>(node.attributes).layout);
    linear.weights_axis = 2;
  } else if (node.op == Op::kMatMul) {
    linear.channel_axis = 1;
    linear.weights_axis = std::get<MatMulAttributes>(node.attributes).transpose_b ? 0 : 1;
  } else {
    return std::nullopt;
  }
  const Tensor* weights = graph.constant(node.inputs[1]);
  if (weights == nullptr || !is_floating(weights->type())) return std::nullopt;
  linear.channels = node.type.shape[linear.channel_axis];
  return linear;
}

std::optional<ConstantOperand> constant_operand(const Graph& graph, NodeId id, BinaryKind kind) {
  const Node& node = graph.node(id);
  if (node.op != Op::kBinary || !is_floating(node.type.element)) return std::nullopt;
  if (std::get<BinaryAttributes>(node.attributes).kind != kind) return std::nullopt;
  const bool commutes = kind == BinaryKind::kAdd || kind == BinaryKind::kMul;
  for (const std::size_t position : {std::size_t{1}, std::size_t{0}}) {
    if (position == 0 && !commutes) break;
    const ConstantOperand found{node.inputs[1 - position], node.inputs[position],
                                graph.constant(node.inputs[position])};
    if (found.constant == nullptr || graph.constant(found.value) != nullptr) continue;
    if (graph.node(found.value).type == node.type) return found;
  }
  return std::nullopt;
}

Tensor channel_constant(ElementType type, const std::vector<double>& values, std::size_t rank,
                        std::size_t channel_axis) {
  Shape shape(rank - channel_axis, 1);
  shape[0] = static_cast<std::int64_t>(values.size());
  return tensor_from_doubles(type, shape, values);
}

NodeId copy_scaled(GraphRewriter& rewriter, const LinearOp& linear,
                   const std::vector<double>& factors) {
  const Graph& source = rewriter.source();
  const Node& node = source.node(linear.id);
  const Node& weights_node = source.node(node.inputs[1]);
  const Tensor& weights = *source.constant(node.inputs[1]);
  std::size_t inner = 1;
  for (std::size_t axis = linear.weights_axis + 1; axis < weights.shape().size(); ++axis) {
    inner *= static_cast<std::size_t>(weights.shape()[axis]);
  }
  std::vector<double> values = weights.to_doubles();
  for (std::size_t index = 0; index < values.size(); ++index) {
    values[index] *= factors[index / inner % factors.size()];
  }
  const NodeId scaled =
      rewriter.result().add_constant(rewriter.unique_name(scaled_name(weights_node.name)),
                                     tensor_from_doubles(weights.type(), weights.shape(), values));
  return rewriter.result().add(node.op, node.name, {rewriter.mapped(node.inputs[0]), scaled},
                               node.attributes);
}

}  // namespace chexnet_trt::passes
