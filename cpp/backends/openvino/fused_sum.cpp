#include "backends/openvino/fused_sum.hpp"

#include <algorithm>
#include <cmath>
#include <openvino/op/constant.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <optional>

#include "backends/openvino/readers.hpp"
#include "backends/openvino/runtime_layers.hpp"
#include "backends/openvino/stored_convolution.hpp"
#include "graph/per_channel.hpp"

// In y = quantize(add(conv2d(...), x)) with x in 8 bits, the quantised sum is a step of the
// convolution's kernel only when a FakeQuantize stands between conv2d and add; otherwise the
// convolution writes float32 and another kernel reads it again (OpenVINO 2026.4). The same with a
// scale, shift or relu between add and quantize. There is no such quantisation in the graph, so that
// FakeQuantize must change nothing:
// - kFine: it is far finer than y, over a range outside of which y saturates whatever x is.
// - kCoarse: it has 8 bits. Inside a convolution's kernel OpenVINO makes of it a scale without
//   rounding or saturation, which saves the kernel a step: 5 % of a ResNet-50 with AMX. Anywhere
//   else it rounds, so a network is compiled again with kFine when `is_fused` does not hold.

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

/// How a sum is stored, behind an optional scale, shift and relu.
struct StoredSum {
  const Node* quantize = nullptr;
  /// By channel: the magnitude of the sum beyond which the stored value stays the same.
  std::vector<double> saturation;
};

std::optional<StoredSum> stored_sum(const LoweringContext& context, const Node& add,
                                    std::size_t channel_axis) {
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
  StoredSum result{reader, std::vector<double>(channels)};
  for (std::size_t c = 0; c < channels; ++c) {
    const double scale = std::max(std::abs(step.scale[c]), kSmallestScale);
    result.saturation[c] = (*amax + std::abs(step.shift[c])) / scale;
  }
  return result;
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

/// Beyond `range` on either side y saturates.
std::shared_ptr<ov::Node> fine_quantize(const Value& value, const std::vector<double>& range,
                                        std::size_t channel_axis) {
  constexpr std::size_t kLevels = (std::size_t{1} << 23U) + 1;
  const std::size_t axis = physical_axis(value, channel_axis);
  const auto low = limits(range, -1, value.order.size(), axis);
  const auto high = limits(range, 1, value.order.size(), axis);
  return std::make_shared<ov::op::v0::FakeQuantize>(value.output, low, high, low, high, kLevels);
}

std::shared_ptr<ov::Node> coarse_quantize(const Value& value, const std::vector<double>& range) {
  constexpr std::size_t kLevels = 256;
  const double scale = *std::max_element(range.begin(), range.end()) / 127;
  const auto constant = [](double limit) {
    return ov::op::v0::Constant::create(ov::element::f32, {}, {static_cast<float>(limit)});
  };
  const auto low = constant(-128 * scale);
  const auto high = constant(127 * scale);
  return std::make_shared<ov::op::v0::FakeQuantize>(value.output, low, high, low, high, kLevels);
}

}  // namespace

bool is_fused(const ov::CompiledModel& model, const std::vector<FusedSum>& sums) {
  std::vector<LayerNames> convolutions;
  if (sums.empty()) return true;
  for (const auto& node : model.get_runtime_model()->get_ordered_ops()) {
    if (runtime_info(*node, "layerType") == "Convolution") {
      convolutions.push_back(node_names(*node));
    }
  }
  return std::all_of(sums.begin(), sums.end(), [&](const FusedSum& sum) {
    return std::any_of(convolutions.begin(), convolutions.end(), [&](const LayerNames& names) {
      const auto has = [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
      };
      return has(sum.marker) && has(sum.sum) && has(sum.quantize);
    });
  });
}

Value fused_sum_operand(const LoweringContext& context, const Node& node, std::size_t operand,
                        const Value& value) {
  if (std::get<BinaryAttributes>(node.attributes).kind != BinaryKind::kAdd) return value;
  const Node* conv = own_convolution(context, node.inputs[operand]);
  const auto other = amax_of_dequantized(context.graph, node.inputs[1 - operand]);
  if (conv == nullptr || !other) return value;
  const bool is_nhwc = std::get<ConvAttributes>(conv->attributes).layout == TensorLayout::kNhwc;
  const std::size_t channel_axis = is_nhwc ? 3 : 1;
  auto stored = stored_sum(context, node, channel_axis);
  if (!stored || is_stored_convolution(context, *stored->quantize)) return value;
  for (double& limit : stored->saturation) limit += *other;
  const auto quantize = context.options.fusion == SumFusion::kFine
                            ? fine_quantize(value, stored->saturation, channel_axis)
                            : coarse_quantize(value, stored->saturation);
  quantize->set_friendly_name(node.name + "/fused");
  if (context.options.fused_sums != nullptr) {
    context.options.fused_sums->push_back(
        {quantize->get_friendly_name(), node.name, stored->quantize->name});
  }
  return {quantize, value.order};
}

}  // namespace chexnet_trt::openvino
