#include <cmath>
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/batch_norm.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/lrn.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/multiply.hpp>
#include <stdexcept>

#include "backends/openvino/lowerings.hpp"

namespace chexnet_trt::openvino::lowerings {
namespace {

template <typename Result>
Result spatial(const Spatial& value) {
  using Extent = typename Result::value_type;
  return Result{static_cast<Extent>(value[0]), static_cast<Extent>(value[1])};
}

ov::Output<ov::Node> image(const Value& value, TensorLayout layout) {
  return arranged(value, channels_first_order(layout)).output;
}

/// [channels of all groups, I, H, W] -> [groups, channels of one, I, H, W]
ov::Output<ov::Node> grouped(const ov::Output<ov::Node>& weights, std::size_t groups) {
  ov::Shape shape = weights.get_shape();
  shape[0] /= groups;
  shape.insert(shape.begin(), groups);
  return reshaped(weights, shape);
}

}  // namespace

Value conv2d(const LoweringContext& /*context*/, const Node& node,
             const std::vector<Value>& inputs) {
  const auto& conv = std::get<ConvAttributes>(node.attributes);
  const ov::Output<ov::Node> x = image(inputs[0], conv.layout);
  const ov::Output<ov::Node> weights = arranged(inputs[1], {3, 2, 0, 1}).output;
  const auto strides = spatial<ov::Strides>(conv.strides);
  const auto dilations = spatial<ov::Strides>(conv.dilations);
  const auto begin = spatial<ov::CoordinateDiff>(conv.pads_begin);
  const auto end = spatial<ov::CoordinateDiff>(conv.pads_end);
  std::shared_ptr<ov::Node> result;
  if (conv.groups == 1) {
    result = std::make_shared<ov::op::v1::Convolution>(x, weights, strides, begin, end, dilations);
  } else {
    result = std::make_shared<ov::op::v1::GroupConvolution>(
        x, grouped(weights, static_cast<std::size_t>(conv.groups)), strides, begin, end, dilations);
  }
  return {result, channels_first_order(conv.layout)};
}

Value conv_transpose2d(const LoweringContext& /*context*/, const Node& node,
                       const std::vector<Value>& inputs) {
  const auto& conv = std::get<ConvTransposeAttributes>(node.attributes);
  const ov::Output<ov::Node> weights = arranged(inputs[1], {3, 2, 0, 1}).output;
  const std::vector<std::size_t>& extents = weights.get_shape();
  ov::CoordinateDiff output_padding;
  for (std::size_t i = 0; i < 2; ++i) {
    // What the forward convolution's rounding left over at the end.
    const auto kernel = static_cast<std::int64_t>(extents[2 + i]);
    output_padding.push_back(
        (conv.output_size[i] + conv.pads_begin[i] + conv.pads_end[i] - kernel) % conv.strides[i]);
  }
  auto result = std::make_shared<ov::op::v1::ConvolutionBackpropData>(
      image(inputs[0], conv.layout), weights, spatial<ov::Strides>(conv.strides),
      spatial<ov::CoordinateDiff>(conv.pads_begin), spatial<ov::CoordinateDiff>(conv.pads_end),
      ov::Strides{1, 1}, ov::op::PadType::EXPLICIT, output_padding);
  return {result, channels_first_order(conv.layout)};
}

Value max_pool(const LoweringContext& /*context*/, const Node& node,
               const std::vector<Value>& inputs) {
  const auto& pool = std::get<PoolAttributes>(node.attributes);
  auto result = std::make_shared<ov::op::v1::MaxPool>(
      image(inputs[0], pool.layout), spatial<ov::Strides>(pool.strides),
      spatial<ov::Shape>(pool.pads_begin), spatial<ov::Shape>(pool.pads_end),
      spatial<ov::Shape>(pool.kernel));
  return {result, channels_first_order(pool.layout)};
}

Value average_pool(const LoweringContext& /*context*/, const Node& node,
                   const std::vector<Value>& inputs) {
  const auto& pool = std::get<PoolAttributes>(node.attributes);
  constexpr bool kExcludePadding = true;
  auto result = std::make_shared<ov::op::v1::AvgPool>(
      image(inputs[0], pool.layout), spatial<ov::Strides>(pool.strides),
      spatial<ov::Shape>(pool.pads_begin), spatial<ov::Shape>(pool.pads_end),
      spatial<ov::Shape>(pool.kernel), kExcludePadding);
  return {result, channels_first_order(pool.layout)};
}

Value batch_norm(const LoweringContext& /*context*/, const Node& node,
                 const std::vector<Value>& inputs) {
  const auto& norm = std::get<BatchNormAttributes>(node.attributes);
  auto result = std::make_shared<ov::op::v5::BatchNormInference>(
      image(inputs[0], norm.layout), inputs[1].output, inputs[2].output, inputs[3].output,
      inputs[4].output, norm.epsilon);
  return {result, channels_first_order(norm.layout)};
}

Value lrn(const LoweringContext& /*context*/, const Node& node, const std::vector<Value>& inputs) {
  const auto& lrn = std::get<LrnAttributes>(node.attributes);
  if (lrn.bias <= 0) {
    throw std::invalid_argument("the openvino backend needs a positive bias in this op");
  }
  // OpenVINO divides alpha by the window, TensorFlow does not; and its CPU kernel rounds the bias
  // to an integer, so that is brought to 1: (b + a s)^-p = b^-p (1 + a / b s)^-p.
  const auto window = static_cast<double>(2 * lrn.radius + 1);
  const auto normed =
      std::make_shared<ov::op::v0::LRN>(image(inputs[0], lrn.layout), lrn.alpha * window / lrn.bias,
                                        lrn.beta, 1.0, static_cast<std::size_t>(window));
  const Order order = channels_first_order(lrn.layout);
  if (lrn.bias == 1.0) return {normed, order};
  const auto scale =
      ov::op::v0::Constant::create(normed->get_element_type(), {}, {std::pow(lrn.bias, -lrn.beta)});
  return {std::make_shared<ov::op::v1::Multiply>(normed, scale), order};
}

}  // namespace chexnet_trt::openvino::lowerings
