#include "backends/openvino/match_level_convolution.hpp"

#include <cmath>
#include <utility>

#include "backends/openvino/level_product.hpp"
#include "backends/openvino/normalise_levels.hpp"
#include "backends/openvino/readers.hpp"
#include "graph/per_channel.hpp"

namespace chexnet_trt::openvino {
namespace {

using Affine = LevelConvolutionMatch::Affine;

/// A value and what is computed of it.
struct Source {
  NodeId id;
  Affine affine;
};

bool is_constant(const Graph& graph, NodeId id) { return graph.constant(id) != nullptr; }

/// Puts the constant of the binary `node` before `affine`; false when it is no such step.
bool prepend(const Graph& graph, const Node& node, std::size_t channel_axis, Affine& affine) {
  const BinaryKind kind = std::get<BinaryAttributes>(node.attributes).kind;
  const Tensor* constant = graph.constant(node.inputs[1]);
  if (constant == nullptr || (kind != BinaryKind::kAdd && kind != BinaryKind::kMul)) return false;
  const auto values = per_channel(*constant, node.type.shape, channel_axis);
  if (!values || values->size() != affine.scale.size()) return false;
  for (std::size_t c = 0; c < values->size(); ++c) {
    if (kind == BinaryKind::kMul) {
      affine.scale[c] *= (*values)[c];
    } else {
      affine.shift[c] += affine.scale[c] * (*values)[c];
    }
  }
  return true;
}

/// What `id` is computed of, by constants and where nothing else reads what lies between.
std::optional<Source> source_of(const LoweringContext& context, NodeId id, std::size_t channel_axis,
                                Affine affine) {
  const Graph& graph = context.graph;
  while (only_reader(context, id) != nullptr) {
    const Node& node = graph.node(id);
    if (node.op != Op::kBinary || !is_constant(graph, node.inputs[1])) break;
    if (!prepend(graph, node, channel_axis, affine)) return std::nullopt;
    id = node.inputs[0];
  }
  return Source{id, std::move(affine)};
}

/// The levels that a dequantised value stands for.
struct Levels {
  ElementType element;
  double scale;
};

std::optional<Levels> levels_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != Op::kDequantize) return std::nullopt;
  const Node& quantize = graph.node(node.inputs[0]);
  const Tensor* scale = graph.constant(node.inputs[1]);
  if (quantize.op != Op::kQuantize || scale == nullptr) return std::nullopt;
  return Levels{std::get<QuantizeAttributes>(quantize.attributes).element, scale->to_doubles()[0]};
}

std::size_t channel_axis_of(const ConvAttributes& conv) {
  return conv.layout == TensorLayout::kNhwc ? 3 : 1;
}

const Node& weights_of(const Graph& graph, const Node& conv) { return graph.node(conv.inputs[1]); }

/// Whether ours takes the window of `conv`. Laying out what it covers costs as much for few columns as
/// for many: with AMX it pays above 1x1 where 16 places share it, or from 256 columns on.
bool takes_window(const Graph& graph, const Node& conv, std::size_t channel_axis) {
  constexpr std::int64_t kManyColumns = 256;
  constexpr std::int64_t kSideBySide = 16;
  const Shape& window = weights_of(graph, conv).type.shape;
  const std::int64_t columns = conv.type.shape[channel_axis];
  if (window[0] * window[1] == 1 || columns >= kManyColumns) return true;
  const std::int64_t width = conv.type.shape[channel_axis == 3 ? 2 : 3];
  return columns > static_cast<std::int64_t>(kProductColumns) && width % kSideBySide == 0 &&
         window[2] % static_cast<std::int64_t>(kProductDepth) == 0;
}

/// True for constant int8 levels, scaled by output channel or all alike.
bool is_int8(const Graph& graph, const Node& weights) {
  if (weights.op != Op::kDequantize) return false;
  const Tensor* levels = graph.constant(weights.inputs[0]);
  const Tensor* scales = graph.constant(weights.inputs[1]);
  return levels != nullptr && scales != nullptr && levels->type() == ElementType::kInt8 &&
         (scales->size() == 1 || std::get<AxisAttributes>(weights.attributes).axis == 3);
}

/// True for a convolution that nothing else reads, of u8 levels and constant weights.
bool is_of_levels(const LoweringContext& context, NodeId id, std::size_t channel_axis) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (node.op != Op::kConv2D || only_reader(context, id) == nullptr) return false;
  const auto& conv = std::get<ConvAttributes>(node.attributes);
  const auto image = levels_of(graph, node.inputs[0]);
  return conv.groups == 1 && conv.dilations == Spatial{1, 1} &&
         channel_axis_of(conv) == channel_axis && image && image->element == ElementType::kUInt8 &&
         is_int8(graph, weights_of(graph, node)) &&
         node.type.shape[channel_axis] % static_cast<std::int64_t>(kProductColumns) == 0 &&
         takes_window(graph, node, channel_axis);
}

/// The convolution in `source`, or in one operand of an add there.
std::optional<LevelConvolutionMatch> find_convolution(const LoweringContext& context,
                                                      const Source& source,
                                                      std::size_t channel_axis) {
  if (is_of_levels(context, source.id, channel_axis)) {
    return LevelConvolutionMatch{&context.graph.node(source.id), source.affine, -1, {}};
  }
  const Node& add = context.graph.node(source.id);
  if (add.op != Op::kBinary || only_reader(context, source.id) == nullptr) return std::nullopt;
  if (std::get<BinaryAttributes>(add.attributes).kind != BinaryKind::kAdd) return std::nullopt;
  for (std::size_t operand = 0; operand < 2; ++operand) {
    const NodeId other = add.inputs[1 - operand];
    const auto added = levels_of(context.graph, other);
    if (!added || added->element != ElementType::kInt8) continue;
    if (context.graph.node(other).type.shape != add.type.shape) continue;
    const auto inner = source_of(context, add.inputs[operand], channel_axis, source.affine);
    if (!inner || !is_of_levels(context, inner->id, channel_axis)) continue;
    LevelConvolutionMatch match{&context.graph.node(inner->id), inner->affine, other,
                                source.affine.scale};
    for (double& scale : match.added_scale) scale *= added->scale;
    return match;
  }
  return std::nullopt;
}

/// From values to the levels that are stored of them.
void put_in_steps(const Graph& graph, double step, LevelConvolutionMatch& match) {
  const Node& weights = weights_of(graph, *match.conv);
  const std::vector<double> weight_scales = graph.constant(weights.inputs[1])->to_doubles();
  const double image_scale = levels_of(graph, match.conv->inputs[0])->scale;
  for (std::size_t c = 0; c < match.affine.scale.size(); ++c) {
    const double weight_scale = weight_scales[weight_scales.size() == 1 ? 0 : c];
    match.affine.scale[c] *= image_scale * weight_scale / step;
    match.affine.shift[c] /= step;
  }
  for (double& scale : match.added_scale) scale /= step;
}

bool stays_within_int32(const Graph& graph, const LevelConvolutionMatch& match) {
  const std::vector<double>& scale = match.affine.scale;
  std::vector<float> by(scale.begin(), scale.end());
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double added = match.added < 0 ? 0 : 128 * std::abs(match.added_scale[c]);
    by.push_back(static_cast<float>(std::abs(match.affine.shift[c]) + added));
  }
  const Shape& weights = weights_of(graph, *match.conv).type.shape;
  const auto depth = static_cast<double>(weights[0] * weights[1] * weights[2]);
  return openvino::stays_within_int32(by, 255.0 * 128.0 * depth);
}

bool is_relu(const Node& node) {
  return node.op == Op::kActivation &&
         std::get<ActivationAttributes>(node.attributes).kind == ActivationKind::kRelu;
}

std::optional<LevelConvolutionMatch> match_at(const LoweringContext& context, const Node& quantize,
                                              std::size_t channel_axis) {
  const Graph& graph = context.graph;
  const Tensor* step = graph.constant(quantize.inputs[1]);
  NodeId id = quantize.inputs[0];
  const Shape& shape = graph.node(id).type.shape;
  if (step == nullptr || shape.size() != 4) return std::nullopt;
  const auto element = std::get<QuantizeAttributes>(quantize.attributes).element;
  if (is_relu(graph.node(id)) && only_reader(context, id) != nullptr) {
    if (element != ElementType::kUInt8) return std::nullopt;
    id = graph.node(id).inputs[0];
  }
  const auto channels = static_cast<std::size_t>(shape[channel_axis]);
  const auto source =
      source_of(context, id, channel_axis,
                {std::vector<double>(channels, 1), std::vector<double>(channels, 0)});
  if (!source) return std::nullopt;
  auto match = find_convolution(context, *source, channel_axis);
  if (!match) return std::nullopt;
  put_in_steps(graph, step->to_doubles()[0], *match);
  return stays_within_int32(graph, *match) ? match : std::nullopt;
}

}  // namespace

std::optional<LevelConvolutionMatch> match_level_convolution(const LoweringContext& context,
                                                             const Node& quantize) {
  for (const std::size_t channel_axis : {std::size_t{3}, std::size_t{1}}) {
    if (auto match = match_at(context, quantize, channel_axis)) return match;
  }
  return std::nullopt;
}

}  // namespace chexnet_trt::openvino
