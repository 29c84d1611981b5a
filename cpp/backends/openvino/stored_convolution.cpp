#include "backends/openvino/stored_convolution.hpp"

#include <openvino/op/constant.hpp>
#include <string>
#include <vector>

#include "backends/openvino/level_convolution.hpp"
#include "backends/openvino/level_product.hpp"
#include "backends/openvino/match_level_convolution.hpp"
#include "backends/openvino/runtime_layers.hpp"

// OpenVINO looks behind every value for what is not constant, along every path and each of them anew,
// until it meets one of its own convolutions or a parameter (isConstantPath, 2026.4): in a network of
// our ops alone that doubles with every sum. So LevelConvolution also has a parameter among its
// inputs, which it does not read.

namespace chexnet_trt::openvino {
namespace {

/// [window, C, O] as LevelConvolution reads them.
std::shared_ptr<ov::Node> packed_weights(const Graph& graph, const Node& conv) {
  const Tensor& weights = *graph.constant(graph.node(conv.inputs[1]).inputs[0]);
  const auto columns = static_cast<std::size_t>(weights.shape()[3]);
  const auto window = static_cast<std::size_t>(weights.size()) / columns;
  const std::size_t depth = (window + kProductDepth - 1) / kProductDepth * kProductDepth;
  std::vector<std::int8_t> packed(columns * depth, 0);
  const auto* source = reinterpret_cast<const std::int8_t*>(weights.bytes().data);
  for (std::size_t i = 0; i < weights.bytes().size; ++i) {
    packed[packed_offset(i % columns, i / columns, depth)] = source[i];
  }
  return ov::op::v0::Constant::create(ov::element::i8, {columns, depth}, packed);
}

std::shared_ptr<ov::Node> scales_of(const LevelConvolutionMatch& match) {
  std::vector<double> values = match.affine.scale;
  values.insert(values.end(), match.affine.shift.begin(), match.affine.shift.end());
  values.insert(values.end(), match.added_scale.begin(), match.added_scale.end());
  const std::size_t columns = match.affine.scale.size();
  return ov::op::v0::Constant::create(ov::element::f32, {values.size() / columns, columns},
                                      std::vector<float>(values.begin(), values.end()));
}

/// What is stored of `id`, NHWC.
std::optional<ov::Output<ov::Node>> levels_of(const LoweringContext& context, NodeId id,
                                              const Order& order) {
  const Value& value = context.values[static_cast<std::size_t>(id)];
  const auto image = stored_image(context.stored_images, arranged(value, order).output);
  return image ? std::optional<ov::Output<ov::Node>>(image->channels_last) : std::nullopt;
}

std::optional<ov::OutputVector> inputs_of(const LoweringContext& context,
                                          const LevelConvolutionMatch& match, const Order& order) {
  const auto image = levels_of(context, match.conv->inputs[0], order);
  if (!image) return std::nullopt;
  ov::OutputVector inputs{*image, packed_weights(context.graph, *match.conv), scales_of(match)};
  if (match.added >= 0) {
    const auto added = levels_of(context, match.added, order);
    if (!added) return std::nullopt;
    inputs.push_back(*added);
  }
  if (!context.parameters.empty()) inputs.emplace_back(context.parameters.front());
  return inputs;
}

LevelConvolution::Attributes attributes_of(const Graph& graph, const Node& conv,
                                           ov::element::Type levels) {
  const auto& from = std::get<ConvAttributes>(conv.attributes);
  const Shape& weights = graph.node(conv.inputs[1]).type.shape;
  const auto extent = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  return {{extent(weights[0]), extent(weights[1])},
          {extent(from.strides[0]), extent(from.strides[1])},
          {from.pads_begin[0], from.pads_begin[1]},
          {from.pads_end[0], from.pads_end[1]},
          levels};
}

}  // namespace

bool is_stored_convolution(const LoweringContext& context, const Node& quantize) {
  return context.options.level_convolutions &&
         match_level_convolution(context, quantize).has_value();
}

std::optional<Value> stored_convolution(const LoweringContext& context, const Node& quantize) {
  if (!context.options.level_convolutions) return std::nullopt;
  const auto match = match_level_convolution(context, quantize);
  if (!match) return std::nullopt;
  const Node& conv = *match->conv;
  const Order order = channels_first_order(std::get<ConvAttributes>(conv.attributes).layout);
  const auto inputs = inputs_of(context, *match, order);
  if (!inputs) return std::nullopt;
  const bool is_signed =
      std::get<QuantizeAttributes>(quantize.attributes).element == ElementType::kInt8;
  const auto levels = std::make_shared<LevelConvolution>(
      *inputs, attributes_of(context.graph, conv, is_signed ? ov::element::i8 : ov::element::u8));
  levels->set_friendly_name(conv.name + std::string(kLevelConvolutionSuffix));
  const auto step = static_cast<float>(context.graph.constant(quantize.inputs[1])->to_doubles()[0]);
  return Value{channels_first(dequantized(levels, step)), order};
}

}  // namespace chexnet_trt::openvino
