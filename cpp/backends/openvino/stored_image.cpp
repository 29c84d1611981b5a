#include "backends/openvino/stored_image.hpp"

#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/transpose.hpp>

namespace chexnet_trt::openvino {
namespace {

using ov::op::v0::Constant;
using ov::op::v0::FakeQuantize;

// What lowerings::quantize makes of int8.
constexpr std::size_t kLevels = 256;
constexpr float kLowest = -128;
constexpr float kHighest = 127;

std::shared_ptr<Constant> scalar(float value) {
  return Constant::create(ov::element::f32, {}, {value});
}

/// The one value of a constant input.
std::optional<float> scalar_input(const ov::Node& node, std::size_t input) {
  const auto constant = ov::as_type_ptr<Constant>(node.get_input_node_shared_ptr(input));
  if (constant == nullptr || ov::shape_size(constant->get_shape()) != 1) return std::nullopt;
  return constant->cast_vector<float>()[0];
}

/// The step of a FakeQuantize to int8 as `lowerings::quantize` makes it.
std::optional<float> int8_scale(const FakeQuantize& quantize) {
  const auto low = scalar_input(quantize, 1);
  const auto high = scalar_input(quantize, 2);
  if (!low || !high || quantize.get_levels() != kLevels) return std::nullopt;
  const float scale = *low / kLowest;
  return scale > 0 && *high == kHighest * scale ? std::optional<float>(scale) : std::nullopt;
}

/// The levels in place of the values of `quantize`. A convolution takes both nodes into its kernel.
ov::Output<ov::Node> int8_levels(const FakeQuantize& quantize) {
  const auto rounded = std::make_shared<FakeQuantize>(
      quantize.input_value(0), quantize.input_value(1), quantize.input_value(2), scalar(kLowest),
      scalar(kHighest), kLevels);
  const auto levels = std::make_shared<ov::op::v0::Convert>(rounded, ov::element::i8);
  levels->set_friendly_name(quantize.get_friendly_name());
  return levels;
}

ov::Output<ov::Node> channels_last(const ov::Output<ov::Node>& levels) {
  const auto axes = Constant::create(ov::element::i64, {4}, {0, 2, 3, 1});
  return std::make_shared<ov::op::v1::Transpose>(levels, axes);
}

std::optional<StoredImage> find_levels(StoredImages& known, const ov::Output<ov::Node>& value) {
  const auto node = value.get_node_shared_ptr();
  if (const auto quantize = ov::as_type_ptr<FakeQuantize>(node)) {
    const auto scale = int8_scale(*quantize);
    return scale ? std::optional<StoredImage>({int8_levels(*quantize), {}, *scale}) : std::nullopt;
  }
  if (!ov::is_type<ov::op::v1::MaxPool>(node)) return std::nullopt;
  const auto image = stored_image(known, node->input_value(0));
  if (!image) return std::nullopt;
  const auto pooled = node->clone_with_new_inputs({image->levels});
  pooled->set_friendly_name(node->get_friendly_name());
  return StoredImage{pooled, {}, image->scale};
}

}  // namespace

ov::Output<ov::Node> dequantized(const ov::Output<ov::Node>& levels, float scale) {
  const auto values = std::make_shared<ov::op::v0::Convert>(levels, ov::element::f32);
  return std::make_shared<ov::op::v1::Multiply>(values, scalar(scale));
}

ov::Output<ov::Node> channels_first(const ov::Output<ov::Node>& image) {
  const auto axes = Constant::create(ov::element::i64, {4}, {0, 3, 1, 2});
  return std::make_shared<ov::op::v1::Transpose>(image, axes);
}

std::optional<StoredImage> stored_image(StoredImages& known, const ov::Output<ov::Node>& value) {
  const auto found = known.find(value);
  if (found != known.end()) return found->second;
  auto image = find_levels(known, value);
  if (!image) return std::nullopt;
  image->channels_last = channels_last(image->levels);
  known.emplace(value, *image);
  return image;
}

}  // namespace chexnet_trt::openvino
