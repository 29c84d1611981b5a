#include "backends/openvino/fused_sum.hpp"

#include <algorithm>
#include <cmath>
#include <openvino/op/constant.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <optional>

#include "graph/per_channel.hpp"

// In y = quantize(add(conv2d(...), x)) with x in 8 bits, the quantised sum is a step of the
// convolution's kernel only when a FakeQuantize stands between conv2d and add; otherwise the
// convolution writes float32 and another kernel reads it again (OpenVINO 2026.4). A FakeQuantize of
// 8 bits there would be wrong: OpenVINO drops its rounding. So it gets one far finer than y, over a
// range outside of which y saturates whatever x is. The same with a scale, shift or relu between add
// and quantize.

namespace chexnet_trt::openvino {
namespace {

/// The largest magnitude that the 8-bit values of `quantize` stand for.
std::optional<double> amax_of(const Graph& graph, const Node& quantize) {
  const Tensor* scale = graph.constant(quantize.inputs[1]);
  if (scale == nullptr) return std::nullopt;
  const bool is_signed =
      std::get<QuantizeAttributes>(quantize.attributes).element == ElementType::kInt8;
  return scale->to_doubles()[0] * (is_signed ? 128 : 255);
}

/// amax of `id` when it is dequantised.
std::optional<double> amax_of_dequantized(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != Op::kDequantize) return std::nullopt;
  const Node& source = graph.node(node.inputs[0]);
  return source.op == Op::kQuantize ? amax_of(graph, source) : std::nullopt;
}

const Node* only_reader(const LoweringContext& context, NodeId id) {
  const std::vector<NodeId>& readers = context.readers[static_cast<std::size_t>(id)];
  return readers.size() == 1 && readers[0] >= 0 ? &context.graph.node(readers[0]) : nullptr;
}

bool is_relu(const Node& node) {
  return node.op == Op::kActivation &&
         std::get<ActivationAttributes>(node.attributes).kind == ActivationKind::kRelu;
}

/// scale * x + shift, by channel.
struct ScaleShift {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// Puts the constant of the binary `node` behind `before`; false when it is no such step.
bool append(const Graph& graph, const Node& node, std::size_t channel_axis, ScaleShift& before) {
  const BinaryKind kind = std::get<BinaryAttributes>(node.attributes).kind;
  const Tensor* constant = graph.constant(node.inputs[1]);
  if (constant == nullptr || (kind != BinaryKind::kAdd && kind != BinaryKind::kMul)) return false;
  const auto values = per_channel(*constant, node.type.shape, channel_axis);
  if (!values) return false;
  for (std::size_t c = 0; c < values->size(); ++c) {
    const double value = (*values)[c];
    if (kind == BinaryKind::kMul) before.scale[c] *= value;
    before.shift[c] = kind == BinaryKind::kMul ? before.shift[c] * value : before.shift[c] + value;
  }
  return true;
}

/// By channel: the magnitude of the sum beyond which the value that is stored of it, behind an
/// optional scale, shift and relu, stays the same.
std::optional<std::vector<double>> saturation_of_sum(const LoweringContext& context,
                                                     const Node& add, std::size_t channel_axis) {
  constexpr double kSmallestScale = 1e-20;
  const Graph& graph = context.graph;
  const auto next = [&](const Node& node) { return only_reader(context, graph.find(node.name)); };
  const auto channels = static_cast<std::size_t>(add.type.shape[channel_axis]);
  ScaleShift step{std::vector<double>(channels, 1), std::vector<double>(channels, 0)};
  const Node* reader = next(add);
  for (; reader != nullptr && reader->op == Op::kBinary; reader = next(*reader)) {
    if (!append(graph, *reader, channel_axis, step)) return std::nullopt;
  }
  if (reader != nullptr && is_relu(*reader)) reader = next(*reader);
  if (reader == nullptr || reader->op != Op::kQuantize) return std::nullopt;
  const auto amax = amax_of(graph, *reader);
  if (!amax) return std::nullopt;
  std::vector<double> result(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const double scale = std::max(std::abs(step.scale[c]), kSmallestScale);
    result[c] = (*amax + std::abs(step.shift[c])) / scale;
  }
  return result;
}

/// The convolution that computes `id`, maybe with a bias, when nothing else reads either.
const Node* own_convolution(const LoweringContext& context, NodeId id) {
  if (only_reader(context, id) == nullptr) return nullptr;
  const Node& node = context.graph.node(id);
  if (node.op == Op::kConv2D) return &node;
  if (node.op != Op::kBinary || context.graph.constant(node.inputs[1]) == nullptr) return nullptr;
  if (std::get<BinaryAttributes>(node.attributes).kind != BinaryKind::kAdd) return nullptr;
  const Node& inner = context.graph.node(node.inputs[0]);
  const bool is_own = only_reader(context, node.inputs[0]) != nullptr;
  return inner.op == Op::kConv2D && is_own ? &inner : nullptr;
}

/// One limit for all channels when they are the same.
std::shared_ptr<ov::Node> limits(const std::vector<double>& values, double sign, std::size_t rank,
                                 std::size_t axis) {
  std::vector<float> floats;
  floats.reserve(values.size());
  for (const double value : values) floats.push_back(static_cast<float>(sign * value));
  if (std::all_of(values.begin(), values.end(), [&](double v) { return v == values[0]; })) {
    return ov::op::v0::Constant::create(ov::element::f32, {}, {floats[0]});
  }
  std::vector<std::size_t> shape(rank, 1);
  shape[axis] = floats.size();
  return ov::op::v0::Constant::create(ov::element::f32, shape, floats);
}

}  // namespace

Value fused_sum_operand(const LoweringContext& context, const Node& node, std::size_t operand,
                        const Value& value) {
  if (std::get<BinaryAttributes>(node.attributes).kind != BinaryKind::kAdd) return value;
  const Node* conv = own_convolution(context, node.inputs[operand]);
  const auto other = amax_of_dequantized(context.graph, node.inputs[1 - operand]);
  if (conv == nullptr || !other) return value;
  const bool is_nhwc = std::get<ConvAttributes>(conv->attributes).layout == TensorLayout::kNhwc;
  const std::size_t channel_axis = is_nhwc ? 3 : 1;
  auto range = saturation_of_sum(context, node, channel_axis);
  if (!range) return value;
  for (double& limit : *range) limit += *other;
  constexpr std::size_t kLevels = (std::size_t{1} << 23U) + 1;
  const std::size_t axis = physical_axis(value, channel_axis);
  const auto low = limits(*range, -1, value.order.size(), axis);
  const auto high = limits(*range, 1, value.order.size(), axis);
  return {std::make_shared<ov::op::v0::FakeQuantize>(value.output, low, high, low, high, kLevels),
          value.order};
}

}  // namespace chexnet_trt::openvino
