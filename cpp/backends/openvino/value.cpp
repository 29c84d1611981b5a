#include "backends/openvino/value.hpp"

#include <algorithm>
#include <numeric>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/transpose.hpp>

#include "backends/openvino/permute.hpp"

namespace chexnet_trt::openvino {
namespace {

/// Physical axis of `value` for each entry of `order`.
Order positions(const Value& value, const Order& order) {
  Order result;
  for (const std::size_t axis : order) result.push_back(physical_axis(value, axis));
  return result;
}

ov::Shape permuted(const std::vector<std::size_t>& shape, const Order& axes) {
  ov::Shape result;
  for (const std::size_t axis : axes) result.push_back(shape[axis]);
  return result;
}

std::shared_ptr<ov::Node> int64_constant(const std::vector<std::size_t>& values) {
  return ov::op::v0::Constant::create(ov::element::i64, {values.size()}, values);
}

ov::Output<ov::Node> permuted_constant(const ov::op::v0::Constant& source, const Order& axes) {
  const ov::Shape& shape = source.get_shape();
  ov::Tensor values(source.get_element_type(), permuted(shape, axes));
  permute(static_cast<const std::byte*>(source.get_data_ptr()), shape, axes,
          source.get_element_type().size(), static_cast<std::byte*>(values.data()));
  auto result = std::make_shared<ov::op::v0::Constant>(values);
  result->set_friendly_name(source.get_friendly_name());
  return result;
}

/// Dequantised weights, Constant -> Convert -> Multiply with a Constant, with the constants moved;
/// nullptr when `output` is something else.
std::shared_ptr<ov::Node> permuted_weights(const ov::Output<ov::Node>& output, const Order& axes) {
  using ov::op::v0::Constant;
  const auto multiply = ov::as_type_ptr<ov::op::v1::Multiply>(output.get_node_shared_ptr());
  if (multiply == nullptr) return nullptr;
  const auto convert = ov::as_type_ptr<ov::op::v0::Convert>(multiply->get_input_node_shared_ptr(0));
  const auto scales = ov::as_type_ptr<Constant>(multiply->get_input_node_shared_ptr(1));
  if (convert == nullptr || scales == nullptr) return nullptr;
  const auto values = ov::as_type_ptr<Constant>(convert->get_input_node_shared_ptr(0));
  if (values == nullptr || scales->get_shape().size() != axes.size()) return nullptr;
  const auto moved = std::make_shared<ov::op::v0::Convert>(permuted_constant(*values, axes),
                                                           convert->get_destination_type());
  auto result = std::make_shared<ov::op::v1::Multiply>(moved, permuted_constant(*scales, axes));
  result->set_friendly_name(multiply->get_friendly_name());
  return result;
}

}  // namespace

Order identity_order(std::size_t rank) {
  Order order(rank);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

Order channels_first_order(TensorLayout layout) {
  return layout == TensorLayout::kNhwc ? Order{0, 3, 1, 2} : Order{0, 1, 2, 3};
}

std::size_t physical_axis(const Value& value, std::size_t logical_axis) {
  const auto found = std::find(value.order.begin(), value.order.end(), logical_axis);
  return static_cast<std::size_t>(found - value.order.begin());
}

bool same_memory(const Value& value, const Order& order) {
  const std::vector<std::size_t>& shape = value.output.get_shape();
  Order from;
  Order to;
  for (std::size_t axis = 0; axis < order.size(); ++axis) {
    if (shape[axis] != 1) from.push_back(value.order[axis]);
    if (shape[physical_axis(value, order[axis])] != 1) to.push_back(order[axis]);
  }
  return from == to;
}

Value arranged(const Value& value, const Order& order) {
  if (value.order == order) return value;
  const Order axes = positions(value, order);
  if (const auto weights = permuted_weights(value.output, axes)) return {weights, order};
  if (same_memory(value, order)) {
    return {reshaped(value.output, permuted(value.output.get_shape(), axes)), order};
  }
  const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(value.output.get_node_shared_ptr());
  if (constant != nullptr) return {permuted_constant(*constant, axes), order};
  auto transpose = std::make_shared<ov::op::v1::Transpose>(value.output, int64_constant(axes));
  transpose->set_friendly_name(value.output.get_node()->get_friendly_name() + "/transpose");
  return {transpose, order};
}

ov::Output<ov::Node> logical_output(const Value& value) {
  return arranged(value, identity_order(value.order.size())).output;
}

ov::Output<ov::Node> reshaped(const ov::Output<ov::Node>& output, const ov::Shape& shape) {
  if (output.get_shape() == shape) return output;
  const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(output.get_node_shared_ptr());
  if (constant != nullptr) {
    auto view = std::make_shared<ov::op::v0::Constant>(*constant, shape);
    view->set_friendly_name(constant->get_friendly_name());
    return view;
  }
  auto reshape = std::make_shared<ov::op::v1::Reshape>(output, int64_constant(shape), false);
  reshape->set_friendly_name(output.get_node()->get_friendly_name() + "/reshape");
  return reshape;
}

Value with_rank(const Value& value, std::size_t rank) {
  const std::size_t added = rank - value.order.size();
  if (added == 0) return value;
  Order order = identity_order(added);
  for (const std::size_t axis : value.order) order.push_back(axis + added);
  ov::Shape shape = value.output.get_shape();
  shape.insert(shape.begin(), added, 1);
  return {reshaped(value.output, shape), order};
}

}  // namespace chexnet_trt::openvino
