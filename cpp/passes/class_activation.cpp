#include "passes/class_activation.hpp"

#include <algorithm>
#include <string>

#include "common/error.hpp"
#include "graph/op_table.hpp"
#include "passes/channels.hpp"

// Before:      y = sigmoid(matmul(mean(f), w) + b), y an output
// After:       the same, and an output: conv2d(f, w), classes in front of height and width
// Conditions:  y is the only sigmoid among the outputs; mean is over height and width, as a reduce
//              or an average pooling of all pixels, maybe reshaped to [batch, channels]; w is
//              constant; b, constant, may be missing; identities between them do not matter. Not in
//              the pipeline: the builder asks for it, behind the passes and in front of `quantize`.
//              The mean and the dense layer are linear, so their order is free: mean(conv2d(f, w))
//              is matmul(mean(f), w). To publish f itself would take channels / classes times as
//              much memory (146 times for a ResNet-50 of 14 classes).

namespace chexnet_trt {
namespace {

using passes::channel_axis_of;

struct Head {
  NodeId features = -1;
  TensorLayout layout = TensorLayout::kNhwc;
  NodeId matmul = -1;
};

[[noreturn]] void refuse(const std::string& reason) {
  throw InputError(
      "class activation maps need scores that are the sigmoid of a dense layer on the spatial mean "
      "of a feature map; " +
      reason);
}

std::string described(const Node& node) {
  return "'" + node.name + "' is " + std::string(name_of(node.op));
}

NodeId behind_identities(const Graph& graph, NodeId id) {
  while (graph.node(id).op == Op::kIdentity) id = graph.node(id).inputs[0];
  return id;
}

NodeId find_scores(const Graph& graph) {
  std::vector<NodeId> scores;
  for (const GraphOutput& output : graph.outputs()) {
    const NodeId id = behind_identities(graph, output.value);
    const auto* activation = std::get_if<ActivationAttributes>(&graph.node(id).attributes);
    if (activation == nullptr || activation->kind != ActivationKind::kSigmoid) continue;
    if (std::find(scores.begin(), scores.end(), id) == scores.end()) scores.push_back(id);
  }
  if (scores.size() == 1) return scores.front();
  refuse(std::to_string(scores.size()) + " outputs of this network are sigmoids");
}

NodeId find_dense(const Graph& graph, NodeId scores) {
  NodeId id = behind_identities(graph, graph.node(scores).inputs[0]);
  if (const auto bias = passes::constant_operand(graph, id, BinaryKind::kAdd)) {
    id = behind_identities(graph, bias->value);
  }
  const Node& node = graph.node(id);
  if (node.op != Op::kMatMul) refuse("here " + described(node));
  if (!passes::linear_op(graph, id) || std::get<MatMulAttributes>(node.attributes).transpose_a) {
    refuse("here '" + node.name + "' multiplies with no constant matrix");
  }
  return id;
}

/// The layout of the image that `node` takes the mean of, over height and width; else kPlain.
TensorLayout layout_of_mean(const Graph& graph, const Node& node) {
  if (node.op == Op::kReduce) {
    const auto& reduce = std::get<ReduceAttributes>(node.attributes);
    if (reduce.kind != ReduceKind::kMean || graph.node(node.inputs[0]).type.shape.size() != 4) {
      return TensorLayout::kPlain;
    }
    if (reduce.axes == Axes{1, 2}) return TensorLayout::kNhwc;
    if (reduce.axes == Axes{2, 3}) return TensorLayout::kNchw;
  }
  if (node.op == Op::kAveragePool) {
    const auto& pool = std::get<PoolAttributes>(node.attributes);
    const std::size_t height = pool.layout == TensorLayout::kNhwc ? 1 : 2;
    const Shape& image = graph.node(node.inputs[0]).type.shape;
    for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
      const bool takes_all = pool.kernel[axis] - pool.pads_begin[axis] >= image[height + axis];
      if (!takes_all || node.type.shape[height + axis] != 1) return TensorLayout::kPlain;
    }
    return pool.layout;
  }
  return TensorLayout::kPlain;
}

Head find_head(const Graph& graph) {
  Head head;
  head.matmul = find_dense(graph, find_scores(graph));
  NodeId id = behind_identities(graph, graph.node(head.matmul).inputs[0]);
  const Shape pooled = graph.node(id).type.shape;
  if (graph.node(id).op == Op::kReshape) {
    id = behind_identities(graph, graph.node(id).inputs[0]);
  }
  const Node& mean = graph.node(id);
  head.layout = layout_of_mean(graph, mean);
  if (head.layout == TensorLayout::kPlain) {
    refuse("here " + described(mean) + ", not the mean over an image");
  }
  head.features = mean.inputs[0];
  const Shape& features = graph.node(head.features).type.shape;
  if (pooled != Shape{features[0], features[channel_axis_of(head.layout)]}) {
    refuse("here '" + graph.node(head.matmul).name + "' does not read one mean a channel");
  }
  return head;
}

/// The weights of a dense layer as those of a 1x1 convolution, HWIO.
Tensor pointwise_weights(const Graph& graph, const Node& matmul) {
  const Tensor& weights = *graph.constant(matmul.inputs[1]);
  const Shape& shape = weights.shape();
  if (!std::get<MatMulAttributes>(matmul.attributes).transpose_b) {
    return weights.reshaped({1, 1, shape[0], shape[1]});
  }
  const auto outputs = static_cast<std::size_t>(shape[0]);
  const auto inputs = static_cast<std::size_t>(shape[1]);
  const std::vector<double> values = weights.to_doubles();
  std::vector<double> transposed(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    transposed[i % inputs * outputs + i / inputs] = values[i];
  }
  return tensor_from_doubles(weights.type(), {1, 1, shape[1], shape[0]}, transposed);
}

}  // namespace

Graph add_class_activation(const Graph& graph) {
  const Head head = find_head(graph);
  const std::string base = kClassActivationOutput;
  Graph result = graph;
  const NodeId weights = result.add_constant(result.unique_name(base + "/weights"),
                                             pointwise_weights(graph, graph.node(head.matmul)));
  ConvAttributes attributes;
  attributes.layout = head.layout;
  NodeId maps =
      result.add(Op::kConv2D, kClassActivationLayer, {head.features, weights}, attributes);
  if (head.layout == TensorLayout::kNhwc) {
    maps = result.add(Op::kTranspose, result.unique_name(base), {maps},
                      TransposeAttributes{{0, 3, 1, 2}});
  }
  result.add_output(base, maps);
  result.verify();
  return result;
}

}  // namespace chexnet_trt
