#include <algorithm>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/multiply.hpp>
#include <stdexcept>

#include "backends/openvino/convolved_image.hpp"
#include "backends/openvino/lowerings.hpp"
#include "backends/openvino/normalised_image.hpp"
#include "backends/openvino/stored_convolution.hpp"

// OpenVINO takes a pair quantize -> dequantize as one FakeQuantize, whose value is the dequantised
// one, and int8 weights as Constant -> Convert -> Multiply; its low-precision transformations look
// for exactly these. What is read by more than those has its levels written out (normalised_image.cpp).

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
    if (const auto value = requantized_image(context, inputs[0].output, scale, node.name)) {
      return {*value, inputs[0].order};
    }
    if (const auto value = convolved_image(context, inputs[0].output, scale, node)) {
      return {*value, inputs[0].order};
    }
  }
  if (const auto value = stored_convolution(context, node)) return *value;
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
