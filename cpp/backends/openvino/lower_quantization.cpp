#include <algorithm>
#include <openvino/core/type.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/relu.hpp>
#include <optional>
#include <stdexcept>

#include "backends/openvino/lowerings.hpp"

// OpenVINO takes a pair quantize -> dequantize as one FakeQuantize, whose value is the dequantised
// one, and int8 weights as Constant -> Convert -> Multiply; its low-precision transformations look
// for exactly these. Behind a concat, where no convolution takes the FakeQuantize into its kernel, the
// 8-bit levels themselves take fewer steps: 2 to 4 % of a DenseNet-121 with AMX at batch 1.

namespace chexnet_trt::openvino::lowerings {
namespace {

std::shared_ptr<ov::Node> float_constant(const ov::Shape& shape, const std::vector<float>& values) {
  return ov::op::v0::Constant::create(ov::element::f32, shape, values);
}

/// True when `quantize` is read by dequantize nodes of its own scale alone.
bool is_paired(const LoweringContext& context, NodeId quantize) {
  const NodeId scale = context.graph.node(quantize).inputs[1];
  const std::vector<NodeId>& readers = context.readers[static_cast<std::size_t>(quantize)];
  return std::all_of(readers.begin(), readers.end(), [&](NodeId reader) {
    if (reader < 0) return false;
    const Node& node = context.graph.node(reader);
    return node.op == Op::kDequantize && node.inputs[1] == scale;
  });
}

/// relu(scale * concat + shift), with constants of one value a channel.
struct NormalisedConcat {
  ov::Output<ov::Node> concat;
  std::shared_ptr<ov::op::v0::Constant> scale;
  std::shared_ptr<ov::op::v0::Constant> shift;
};

std::optional<NormalisedConcat> normalised_concat(const ov::Output<ov::Node>& value) {
  const auto relu = ov::as_type_ptr<ov::op::v0::Relu>(value.get_node_shared_ptr());
  if (relu == nullptr) return std::nullopt;
  const auto add = ov::as_type_ptr<ov::op::v1::Add>(relu->get_input_node_shared_ptr(0));
  if (add == nullptr) return std::nullopt;
  const auto multiply = ov::as_type_ptr<ov::op::v1::Multiply>(add->get_input_node_shared_ptr(0));
  if (multiply == nullptr || !ov::is_type<ov::op::v0::Concat>(multiply->get_input_node_ptr(0))) {
    return std::nullopt;
  }
  using Constant = ov::op::v0::Constant;
  NormalisedConcat result{multiply->input_value(0),
                          ov::as_type_ptr<Constant>(multiply->get_input_node_shared_ptr(1)),
                          ov::as_type_ptr<Constant>(add->get_input_node_shared_ptr(1))};
  if (result.scale == nullptr || result.shift == nullptr) return std::nullopt;
  return result;
}

/// values / unit + offset.
std::shared_ptr<ov::Node> in_units(const ov::op::v0::Constant& constant, double unit,
                                   double offset) {
  std::vector<float> values = constant.cast_vector<float>();
  for (float& value : values) value = static_cast<float>(value / unit + offset);
  return float_constant(constant.get_shape(), values);
}

/// The dequantised levels 0..255 of `value`: relu and range are one clamp, and rounding is half a
/// level more in the shift, so that a value exactly between two levels goes to the upper one.
std::shared_ptr<ov::Node> levels_of(const NormalisedConcat& value, float scale,
                                    const std::string& name) {
  constexpr double kHalf = 0.5;
  constexpr double kHighest = 255.0;
  const auto scaled =
      std::make_shared<ov::op::v1::Multiply>(value.concat, in_units(*value.scale, scale, 0));
  const auto shifted =
      std::make_shared<ov::op::v1::Add>(scaled, in_units(*value.shift, scale, kHalf));
  const auto clamped = std::make_shared<ov::op::v0::Clamp>(shifted, 0.0, kHighest);
  const auto levels = std::make_shared<ov::op::v0::Convert>(clamped, ov::element::u8);
  levels->set_friendly_name(name);
  const auto values = std::make_shared<ov::op::v0::Convert>(levels, ov::element::f32);
  return std::make_shared<ov::op::v1::Multiply>(values, float_constant({}, {scale}));
}

float scale_of(const Graph& graph, NodeId id) {
  const Tensor* scale = graph.constant(id);
  if (scale == nullptr) throw std::invalid_argument("the openvino backend needs a constant scale");
  return static_cast<float>(scale->to_doubles()[0]);
}

}  // namespace

Value quantize(const LoweringContext& context, const Node& node, const std::vector<Value>& inputs) {
  if (!is_paired(context, context.graph.find(node.name))) {
    throw std::invalid_argument(
        "the openvino backend needs every reader to be a dequantize of the same scale");
  }
  const float scale = scale_of(context.graph, node.inputs[1]);
  const bool is_signed =
      std::get<QuantizeAttributes>(node.attributes).element == ElementType::kInt8;
  if (!is_signed) {
    if (const auto value = normalised_concat(inputs[0].output)) {
      return {levels_of(*value, scale, node.name), inputs[0].order};
    }
  }
  const auto low = float_constant({}, {is_signed ? -128.0F * scale : 0.0F});
  const auto high = float_constant({}, {(is_signed ? 127.0F : 255.0F) * scale});
  constexpr std::size_t kLevels = 256;
  return {
      std::make_shared<ov::op::v0::FakeQuantize>(inputs[0].output, low, high, low, high, kLevels),
      inputs[0].order};
}

Value dequantize(const LoweringContext& context, const Node& node,
                 const std::vector<Value>& inputs) {
  if (context.graph.node(node.inputs[0]).op == Op::kQuantize) return inputs[0];
  const auto values = std::make_shared<ov::op::v0::Convert>(inputs[0].output, ov::element::f32);
  std::vector<std::size_t> shape(inputs[0].order.size(), 1);
  const ov::Shape scales = inputs[1].output.get_shape();
  const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(node.attributes).axis);
  if (!scales.empty()) shape[physical_axis(inputs[0], axis)] = scales[0];
  return {std::make_shared<ov::op::v1::Multiply>(values, reshaped(inputs[1].output, shape)),
          inputs[0].order};
}

}  // namespace chexnet_trt::openvino::lowerings
