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

constexpr std::size_t kLevels = 256;

std::shared_ptr<Constant> scalar(float value) {
  return Constant::create(ov::element::f32, {}, {value});
}

/// The one value of a constant input.
std::optional<float> scalar_input(const ov::Node& node, std::size_t input) {
  const auto constant = ov::as_type_ptr<Constant>(node.get_input_node_shared_ptr(input));
  if (constant == nullptr || ov::shape_size(constant->get_shape()) != 1) return std::nullopt;
  return constant->cast_vector<float>()[0];
}

/// 8-bit levels in steps of `scale`.
struct Levels {
  ov::element::Type type;
  float lowest;
  float highest;
  float scale;
};

/// The levels of a FakeQuantize as `lowerings::quantize` makes it.
std::optional<Levels> levels_of(const FakeQuantize& quantize) {
  const auto low = scalar_input(quantize, 1);
  const auto high = scalar_input(quantize, 2);
  if (!low || !high || !(*high > 0) || quantize.get_levels() != kLevels) return std::nullopt;
  if (*low == 0) return Levels{ov::element::u8, 0, 255, *high / 255};
  const Levels int8{ov::element::i8, -128, 127, *low / -128};
  return *high == int8.highest * int8.scale ? std::optional<Levels>(int8) : std::nullopt;
}

/// The levels in place of the values of `quantize`. A convolution takes both nodes into its kernel.
ov::Output<ov::Node> written(const FakeQuantize& quantize, const Levels& as) {
  const auto rounded = std::make_shared<FakeQuantize>(
      quantize.input_value(0), quantize.input_value(1), quantize.input_value(2), scalar(as.lowest),
      scalar(as.highest), kLevels);
  const auto levels = std::make_shared<ov::op::v0::Convert>(rounded, as.type);
  levels->set_friendly_name(quantize.get_friendly_name());
  return levels;
}

ov::Output<ov::Node> channels_last(const ov::Output<ov::Node>& levels) {
  const auto axes = Constant::create(ov::element::i64, {4}, {0, 2, 3, 1});
  return std::make_shared<ov::op::v1::Transpose>(levels, axes);
}

/// Levels NHWC of what is channels_first(dequantized(levels)).
std::optional<StoredImage> find_written(const ov::Output<ov::Node>& value) {
  const auto transpose = ov::as_type_ptr<ov::op::v1::Transpose>(value.get_node_shared_ptr());
  if (transpose == nullptr) return std::nullopt;
  const auto multiply =
      ov::as_type_ptr<ov::op::v1::Multiply>(transpose->get_input_node_shared_ptr(0));
  if (multiply == nullptr) return std::nullopt;
  const auto convert = ov::as_type_ptr<ov::op::v0::Convert>(multiply->get_input_node_shared_ptr(0));
  const auto scale = scalar_input(*multiply, 1);
  if (convert == nullptr || !scale) return std::nullopt;
  return StoredImage{{}, convert->input_value(0), *scale};
}

std::optional<StoredImage> find_levels(StoredImages& known, const ov::Output<ov::Node>& value) {
  const auto node = value.get_node_shared_ptr();
  if (const auto quantize = ov::as_type_ptr<FakeQuantize>(node)) {
    const auto levels = levels_of(*quantize);
    if (!levels) return std::nullopt;
    return StoredImage{written(*quantize, *levels), {}, levels->scale};
  }
  if (auto image = find_written(value)) {
    image->levels = channels_first(image->channels_last);
    return image;
  }
  if (!ov::is_type<ov::op::v1::MaxPool>(node)) return std::nullopt;
  const auto image = stored_image(known, node->input_value(0));
  if (!image || image->levels.get_element_type() != ov::element::i8) return std::nullopt;
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

bool has_written_levels(const ov::Output<ov::Node>& value) {
  return find_written(value).has_value();
}

std::optional<StoredImage> stored_image(StoredImages& known, const ov::Output<ov::Node>& value) {
  const auto found = known.find(value);
  if (found != known.end()) return found->second;
  auto image = find_levels(known, value);
  if (!image) return std::nullopt;
  if (image->channels_last.get_node() == nullptr) {
    image->channels_last = channels_last(image->levels);
  }
  known.emplace(value, *image);
  return image;
}

}  // namespace chexnet_trt::openvino
