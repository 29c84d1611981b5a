#include "backends/openvino/convolved_image.hpp"

#include <algorithm>
#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/transpose.hpp>
#include <string>

#include "backends/openvino/concat_normalise.hpp"
#include "backends/openvino/level_product.hpp"
#include "backends/openvino/normalise_levels.hpp"
#include "backends/openvino/normalised_convolution.hpp"
#include "backends/openvino/readers.hpp"
#include "backends/openvino/runtime_layers.hpp"

// A layer of a DenseNet begins with y = quantize(relu(conv2d(quantize(relu(a * x + b)), w) + c)), x a
// concat and w of 1x1. Normalising writes as many bytes as it reads, for the convolution to read them
// again; one node that does both leaves them in the first-level cache.

namespace chexnet_trt::openvino {
namespace {

using ov::op::v0::Constant;

template <typename Op>
std::shared_ptr<Op> input_as(const ov::Node& node, std::size_t index) {
  return ov::as_type_ptr<Op>(node.get_input_node_shared_ptr(index));
}

/// Levels, as ConcatNormalise or a constant hold them, and the steps that they stand for.
template <typename Levels>
struct DequantizedLevels {
  std::shared_ptr<Levels> levels;
  std::shared_ptr<Constant> scale;
};

template <typename Levels>
std::optional<DequantizedLevels<Levels>> dequantized_levels(const std::shared_ptr<ov::Node>& node) {
  const auto multiply = ov::as_type_ptr<ov::op::v1::Multiply>(node);
  if (multiply == nullptr) return std::nullopt;
  const auto convert = input_as<ov::op::v0::Convert>(*multiply, 0);
  if (convert == nullptr) return std::nullopt;
  DequantizedLevels<Levels> result{input_as<Levels>(*convert, 0), input_as<Constant>(*multiply, 1)};
  if (result.levels == nullptr || result.scale == nullptr) return std::nullopt;
  return result;
}

struct Convolved {
  DequantizedLevels<ConcatNormalise> image;
  DequantizedLevels<Constant> weights;
  std::shared_ptr<Constant> bias;
};

bool is_pointwise(const ov::op::v1::Convolution& conv) {
  const auto is = [](const auto& values, auto value) {
    return std::all_of(values.begin(), values.end(), [&](auto v) { return v == value; });
  };
  const ov::Shape& weights = conv.get_input_shape(1);
  return weights[2] == 1 && weights[3] == 1 && is(conv.get_strides(), std::size_t{1}) &&
         is(conv.get_pads_begin(), std::ptrdiff_t{0}) && is(conv.get_pads_end(), std::ptrdiff_t{0});
}

std::optional<Convolved> convolved(const ov::Output<ov::Node>& value) {
  const auto relu = ov::as_type_ptr<ov::op::v0::Relu>(value.get_node_shared_ptr());
  if (relu == nullptr) return std::nullopt;
  const auto add = input_as<ov::op::v1::Add>(*relu, 0);
  if (add == nullptr) return std::nullopt;
  const auto conv = input_as<ov::op::v1::Convolution>(*add, 0);
  const auto bias = input_as<Constant>(*add, 1);
  if (conv == nullptr || bias == nullptr || !is_pointwise(*conv)) return std::nullopt;
  const auto transpose = input_as<ov::op::v1::Transpose>(*conv, 0);
  if (transpose == nullptr) return std::nullopt;
  const auto image = dequantized_levels<ConcatNormalise>(transpose->get_input_node_shared_ptr(0));
  const auto weights = dequantized_levels<Constant>(conv->get_input_node_shared_ptr(1));
  const std::size_t columns = conv->get_input_shape(1)[0];
  if (!image || !weights || columns % kProductColumns != 0 ||
      weights->levels->get_element_type() != ov::element::i8 ||
      bias->get_shape() != ov::Shape({1, columns, 1, 1})) {
    return std::nullopt;
  }
  return Convolved{*image, *weights, bias};
}

/// The convolution that `quantize` stores, behind a relu, when nothing else reads what lies between its
/// image's levels and `quantize`.
const Node* stored_convolution(const LoweringContext& context, const Node& quantize) {
  const NodeId relu = quantize.inputs[0];
  const Node& activation = context.graph.node(relu);
  if (activation.op != Op::kActivation || only_reader(context, relu) == nullptr) return nullptr;
  const Node* conv = own_convolution(context, activation.inputs[0]);
  if (conv == nullptr || only_reader(context, conv->inputs[0]) == nullptr) return nullptr;
  const Node& image = context.graph.node(conv->inputs[0]);
  const bool is_own =
      image.op == Op::kDequantize && only_reader(context, image.inputs[0]) != nullptr;
  return is_own ? conv : nullptr;
}

std::shared_ptr<Constant> packed_weights(const Constant& weights) {
  const std::size_t columns = weights.get_shape()[0];
  const std::size_t channels = weights.get_shape()[1];
  const std::size_t depth = (channels + kProductDepth - 1) / kProductDepth * kProductDepth;
  const auto* source = weights.get_data_ptr<std::int8_t>();
  std::vector<std::int8_t> packed(columns * depth, 0);
  for (std::size_t column = 0; column < columns; ++column) {
    for (std::size_t channel = 0; channel < channels; ++channel) {
      packed[packed_offset(column, channel, depth)] = source[column * channels + channel];
    }
  }
  return Constant::create(ov::element::i8, {columns, depth}, packed);
}

/// From sums of products of levels to levels in steps of `scale`: scales, then shifts.
std::vector<float> requantisation(const Convolved& value, float scale) {
  const double image_scale = value.image.scale->cast_vector<float>()[0];
  const std::vector<float> weight_scales = value.weights.scale->cast_vector<float>();
  const std::vector<float> bias = value.bias->cast_vector<float>();
  std::vector<float> result;
  result.reserve(2 * bias.size());
  for (std::size_t o = 0; o < bias.size(); ++o) {
    const double weight_scale = weight_scales[weight_scales.size() == 1 ? 0 : o];
    result.push_back(static_cast<float>(image_scale * weight_scale / scale));
  }
  for (const float b : bias) result.push_back(static_cast<float>(double{b} / scale));
  return result;
}

}  // namespace

std::optional<ov::Output<ov::Node>> convolved_image(const LoweringContext& context,
                                                    const ov::Output<ov::Node>& value, float scale,
                                                    const Node& quantize) {
  if (!NormalisedConvolution::is_available()) return std::nullopt;
  const Node* conv = stored_convolution(context, quantize);
  const auto image = convolved(value);
  if (conv == nullptr || !image) return std::nullopt;
  const auto weights = packed_weights(*image->weights.levels);
  const std::vector<float> by = requantisation(*image, scale);
  const double largest_sum = 255.0 * 128.0 * static_cast<double>(weights->get_shape()[1]);
  if (!stays_within_int32(by, largest_sum)) return std::nullopt;
  ov::OutputVector inputs = image->image.levels->input_values();
  inputs.emplace_back(weights);
  inputs.emplace_back(Constant::create(ov::element::f32, {2, by.size() / 2}, by));
  const auto levels = std::make_shared<NormalisedConvolution>(inputs);
  levels->set_friendly_name(conv->name + std::string(kNormalisedConvolutionSuffix));
  return channels_first(dequantized(levels, scale));
}

}  // namespace chexnet_trt::openvino
