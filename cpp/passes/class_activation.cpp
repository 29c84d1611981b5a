#include "passes/class_activation.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "graph/op_table.hpp"
#include "passes/channels.hpp"

// Before:      y = sigmoid(matmul(mean(f), w) + b), y an output
// After:       the same, and an output: conv2d(f, w), classes in front of height and width
// Conditions:  y is the only sigmoid among the outputs; mean is over height and width, as a reduce
//              or an average pooling of all pixels, maybe reshaped to [batch, channels]; w is
//              constant, maybe dequantised from int8; b, constant, may be missing; identities and
//              quantize -> dequantize between them do not matter. Not in the pipeline: the builder
//              asks for it, behind the passes and `quantize`.
//              The mean and the dense layer are linear, so their order is free: mean(conv2d(f, w))
//              is matmul(mean(f), w). To publish f itself would take channels / classes times as
//              much memory (146 times for a ResNet-50 of 14 classes). In a quantised graph conv2d
//              computes in float from what the mean reads, the dequantised f: a reader of f itself
//              would have a backend store it twice, and in bf16 round it before it is quantised.

namespace chexnet_trt {
namespace {

using passes::channel_axis_of;

/// In C order.
struct Matrix {
  Shape shape;
  std::vector<double> values;
};

struct Head {
  NodeId features = -1;
  TensorLayout layout = TensorLayout::kNhwc;
  NodeId matmul = -1;
  Matrix weights;  ///< [channels, classes]
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

bool keeps_values(const Graph& graph, const Node& node) {
  return node.op == Op::kIdentity || node.op == Op::kQuantize ||
         (node.op == Op::kDequantize && graph.node(node.inputs[0]).op == Op::kQuantize);
}

/// What `id` is but for identities and rounding to int8.
NodeId origin_of(const Graph& graph, NodeId id) {
  while (keeps_values(graph, graph.node(id))) id = graph.node(id).inputs[0];
  return id;
}

NodeId find_scores(const Graph& graph) {
  std::vector<NodeId> scores;
  for (const GraphOutput& output : graph.outputs()) {
    const NodeId id = origin_of(graph, output.value);
    const auto* activation = std::get_if<ActivationAttributes>(&graph.node(id).attributes);
    if (activation == nullptr || activation->kind != ActivationKind::kSigmoid) continue;
    if (std::find(scores.begin(), scores.end(), id) == scores.end()) scores.push_back(id);
  }
  if (scores.size() == 1) return scores.front();
  refuse(std::to_string(scores.size()) + " outputs of this network are sigmoids");
}

NodeId find_dense(const Graph& graph, NodeId scores) {
  NodeId id = origin_of(graph, graph.node(scores).inputs[0]);
  if (const auto bias = passes::constant_operand(graph, id, BinaryKind::kAdd)) {
    id = origin_of(graph, bias->value);
  }
  const Node& node = graph.node(id);
  if (node.op != Op::kMatMul) refuse("here " + described(node));
  return id;
}

/// The constant that `id` is, dequantised; empty when it is none.
std::optional<Matrix> constant_matrix(const Graph& graph, NodeId id) {
  const Tensor* floats = graph.constant(id);
  if (floats != nullptr) return Matrix{floats->shape(), floats->to_doubles()};
  const Node& node = graph.node(id);
  if (node.op != Op::kDequantize) return std::nullopt;
  const Tensor* quantized = graph.constant(node.inputs[0]);
  const Tensor* scale = graph.constant(node.inputs[1]);
  if (quantized == nullptr || scale == nullptr) return std::nullopt;
  Matrix matrix{quantized->shape(), quantized->to_doubles()};
  const std::vector<double> scales = scale->to_doubles();
  const auto columns = static_cast<std::size_t>(matrix.shape[1]);
  const bool by_row = std::get<AxisAttributes>(node.attributes).axis == 0;
  for (std::size_t i = 0; i < matrix.values.size(); ++i) {
    matrix.values[i] *= scales[(by_row ? i / columns : i % columns) % scales.size()];
  }
  return matrix;
}

Matrix transposed(const Matrix& matrix) {
  Matrix result{{matrix.shape[1], matrix.shape[0]}, std::vector<double>(matrix.values.size())};
  const auto rows = static_cast<std::size_t>(matrix.shape[0]);
  const auto columns = static_cast<std::size_t>(matrix.shape[1]);
  for (std::size_t i = 0; i < matrix.values.size(); ++i) {
    result.values[i % columns * rows + i / columns] = matrix.values[i];
  }
  return result;
}

Matrix weights_of(const Graph& graph, const Node& dense) {
  const auto& attributes = std::get<MatMulAttributes>(dense.attributes);
  const auto weights = constant_matrix(graph, dense.inputs[1]);
  if (!weights || attributes.transpose_a) {
    refuse("here '" + dense.name + "' multiplies with no constant matrix");
  }
  return attributes.transpose_b ? transposed(*weights) : *weights;
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
  head.weights = weights_of(graph, graph.node(head.matmul));
  NodeId id = origin_of(graph, graph.node(head.matmul).inputs[0]);
  const Shape pooled = graph.node(id).type.shape;
  if (graph.node(id).op == Op::kReshape) {
    id = origin_of(graph, graph.node(id).inputs[0]);
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

}  // namespace

Graph add_class_activation(const Graph& graph) {
  const Head head = find_head(graph);
  const std::string base = kClassActivationOutput;
  const Shape& shape = head.weights.shape;
  const Tensor pointwise = tensor_from_doubles(graph.node(head.matmul).type.element,
                                               {1, 1, shape[0], shape[1]}, head.weights.values);
  Graph result = graph;
  const auto name = [&](const char* suffix) { return result.unique_name(base + suffix); };
  const NodeId weights = result.add_constant(name("/weights"), pointwise);
  ConvAttributes attributes;
  attributes.layout = head.layout;
  NodeId maps = result.add(Op::kConv2D, name("/conv2d"), {head.features, weights}, attributes);
  if (head.layout == TensorLayout::kNhwc) {
    maps = result.add(Op::kTranspose, name(""), {maps}, TransposeAttributes{{0, 3, 1, 2}});
  }
  result.add_output(base, maps);
  result.verify();
  return result;
}

}  // namespace chexnet_trt
