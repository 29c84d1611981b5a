#include "backends/openvino/normalised_image.hpp"

#include <algorithm>
#include <openvino/op/add.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/relu.hpp>

#include "backends/openvino/concat_normalise.hpp"
#include "backends/openvino/normalise_levels.hpp"
#include "backends/openvino/readers.hpp"
#include "backends/openvino/runtime_layers.hpp"

// y = quantize(relu(a * x + b)), of which a DenseNet has one a layer, x a concat. No convolution takes
// it into its kernel, and a FakeQuantize has more steps than are needed: relu and saturation are one,
// and rounding is half a level more in b. Where the joined images are stored in 8 bits and read by
// nothing else, ConcatNormalise reads their levels where they lie, and there is no concat; else plain
// nodes write the levels.

namespace chexnet_trt::openvino {
namespace {

using ov::op::v0::Concat;
using ov::op::v0::Constant;

constexpr std::size_t kChannelAxis = 1;
/// Added before rounding down; a value exactly between two levels goes to the upper one.
constexpr double kHalf = 0.5;

/// relu(scale * x + shift), with constants.
struct Normalised {
  ov::Output<ov::Node> x;
  std::shared_ptr<Constant> scale;
  std::shared_ptr<Constant> shift;
};

std::optional<Normalised> normalised(const ov::Output<ov::Node>& value) {
  const auto relu = ov::as_type_ptr<ov::op::v0::Relu>(value.get_node_shared_ptr());
  if (relu == nullptr) return std::nullopt;
  const auto add = ov::as_type_ptr<ov::op::v1::Add>(relu->get_input_node_shared_ptr(0));
  if (add == nullptr) return std::nullopt;
  const auto multiply = ov::as_type_ptr<ov::op::v1::Multiply>(add->get_input_node_shared_ptr(0));
  if (multiply == nullptr) return std::nullopt;
  Normalised result{multiply->input_value(0),
                    ov::as_type_ptr<Constant>(multiply->get_input_node_shared_ptr(1)),
                    ov::as_type_ptr<Constant>(add->get_input_node_shared_ptr(1))};
  if (result.scale == nullptr || result.shift == nullptr) return std::nullopt;
  return result;
}

/// values / unit + offset
std::vector<float> in_units(const Constant& constant, double unit, double offset) {
  std::vector<float> values = constant.cast_vector<float>();
  for (float& value : values) value = static_cast<float>(value / unit + offset);
  return values;
}

/// The same in the shape of `constant`.
std::shared_ptr<Constant> constant_in_units(const Constant& constant, double unit, double offset) {
  return Constant::create(ov::element::f32, constant.get_shape(), in_units(constant, unit, offset));
}

ov::Output<ov::Node> levels_by_plain_nodes(const Normalised& value, float scale,
                                           const std::string& name) {
  const auto scaled =
      std::make_shared<ov::op::v1::Multiply>(value.x, constant_in_units(*value.scale, scale, 0));
  const auto shifted =
      std::make_shared<ov::op::v1::Add>(scaled, constant_in_units(*value.shift, scale, kHalf));
  const auto clamped = std::make_shared<ov::op::v0::Clamp>(shifted, 0.0, 255.0);
  const auto levels = std::make_shared<ov::op::v0::Convert>(clamped, ov::element::u8);
  levels->set_friendly_name(name);
  return levels;
}

/// True for the first node of a scale, a shift and a relu that are stored and not read otherwise.
bool begins_requantization(const LoweringContext& context, const Node& node) {
  const Node* last = &node;
  for (const Op op : {Op::kBinary, Op::kBinary, Op::kActivation}) {
    if (last == nullptr || last->op != op) return false;
    last = only_reader(context, context.graph.find(last->name));
  }
  return last != nullptr && last->op == Op::kQuantize;
}

/// True when all that reads `id`, through concats and maxima, requantises it or is an output. A
/// convolution that stores a value in two forms, for this and for another reader, would be slower.
bool is_only_requantized(const LoweringContext& context, NodeId id) {
  const std::vector<NodeId>& readers = context.readers[static_cast<std::size_t>(id)];
  return std::all_of(readers.begin(), readers.end(), [&](NodeId reader) {
    if (reader < 0) return true;
    const Node& node = context.graph.node(reader);
    const bool passes_on =
        node.op == Op::kDequantize || node.op == Op::kConcat || node.op == Op::kMaxPool;
    return passes_on ? is_only_requantized(context, reader) : begins_requantization(context, node);
  });
}

/// True when a concat joins `id`, or a maximum over it, with other values. An image that stands alone
/// may be a sum, and is then stored by its convolution as a FakeQuantize (fused_sum.cpp).
bool is_joined(const LoweringContext& context, NodeId id) {
  const std::vector<NodeId>& readers = context.readers[static_cast<std::size_t>(id)];
  return std::any_of(readers.begin(), readers.end(), [&](NodeId reader) {
    if (reader < 0) return false;
    const Op op = context.graph.node(reader).op;
    const bool passes_on = op == Op::kDequantize || op == Op::kMaxPool;
    return op == Op::kConcat || (passes_on && is_joined(context, reader));
  });
}

/// True when `value` is stored as levels already, or may be: it is joined and only requantised.
bool may_be_levels(const LoweringContext& context, const ov::Output<ov::Node>& value) {
  if (has_written_levels(value)) return true;
  const NodeId id = context.graph.find(value.get_node()->get_friendly_name());
  return id >= 0 && is_joined(context, id) && is_only_requantized(context, id);
}

/// Appends what is stored of the images that `value` joins, through concats of concats; false unless
/// all are int8 in steps of one size.
bool append_images(const LoweringContext& context, const ov::Output<ov::Node>& value,
                   std::vector<StoredImage>& images) {
  if (const auto concat = ov::as_type_ptr<Concat>(value.get_node_shared_ptr())) {
    if (concat->get_axis() != kChannelAxis) return false;
    const ov::OutputVector parts = concat->input_values();
    return std::all_of(parts.begin(), parts.end(), [&](const ov::Output<ov::Node>& part) {
      return append_images(context, part, images);
    });
  }
  if (!may_be_levels(context, value)) return false;
  const auto image = stored_image(context.stored_images, value);
  if (!image || image->channels_last.get_element_type() != ov::element::i8) return false;
  if (!images.empty() && images[0].scale != image->scale) return false;
  images.push_back(*image);
  return true;
}

std::optional<ov::Output<ov::Node>> by_concat_normalise(const LoweringContext& context,
                                                        const Normalised& value, float scale,
                                                        const std::string& name) {
  const ov::Shape shape = value.x.get_shape();
  if (!ConcatNormalise::is_available() || shape.size() != 4) return std::nullopt;
  const ov::Shape per_channel{1, shape[kChannelAxis], 1, 1};
  std::vector<StoredImage> images;
  if (value.scale->get_shape() != per_channel || value.shift->get_shape() != per_channel ||
      !append_images(context, value.x, images)) {
    return std::nullopt;
  }
  ov::OutputVector inputs;
  for (const StoredImage& image : images) inputs.push_back(image.channels_last);
  const double unit = static_cast<double>(scale) / images[0].scale;
  std::vector<float> normalisation = in_units(*value.scale, unit, 0);
  const std::vector<float> shift = in_units(*value.shift, scale, kHalf);
  normalisation.insert(normalisation.end(), shift.begin(), shift.end());
  if (!stays_within_int32(normalisation, 128)) return std::nullopt;
  inputs.emplace_back(
      Constant::create(ov::element::f32, ov::Shape{2, shape[kChannelAxis]}, normalisation));
  const auto levels = std::make_shared<ConcatNormalise>(inputs);
  levels->set_friendly_name(name + std::string(kConcatNormaliseSuffix));
  return channels_first(dequantized(levels, scale));
}

}  // namespace

std::optional<ov::Output<ov::Node>> requantized_image(const LoweringContext& context,
                                                      const ov::Output<ov::Node>& value,
                                                      float scale, const std::string& name) {
  const auto image = normalised(value);
  if (!image) return std::nullopt;
  if (const auto result = by_concat_normalise(context, *image, scale, name)) return result;
  if (!ov::is_type<Concat>(image->x.get_node())) return std::nullopt;
  return dequantized(levels_by_plain_nodes(*image, scale, name), scale);
}

}  // namespace chexnet_trt::openvino
