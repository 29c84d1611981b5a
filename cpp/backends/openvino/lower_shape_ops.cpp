#include <algorithm>
#include <limits>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/pad.hpp>
#include <openvino/op/slice.hpp>

#include "backends/openvino/element_types.hpp"
#include "backends/openvino/lowerings.hpp"

namespace chexnet_trt::openvino::lowerings {
namespace {

std::size_t axis_of(const Node& node) {
  return static_cast<std::size_t>(std::get<AxisAttributes>(node.attributes).axis);
}

std::shared_ptr<ov::Node> int64_constant(const std::vector<std::int64_t>& values) {
  return ov::op::v0::Constant::create(ov::element::i64, {values.size()}, values);
}

std::int64_t size_of(const Value& value) {
  return static_cast<std::int64_t>(ov::shape_size(value.output.get_shape()));
}

/// The order of gather's result: axis `axis` of `x` gives way to the axes of the indices.
Order gathered_order(const Order& order, std::size_t axis, std::size_t index_rank) {
  Order result;
  for (const std::size_t logical : order) {
    if (logical == axis) {
      for (std::size_t i = 0; i < index_rank; ++i) result.push_back(axis + i);
    } else {
      result.push_back(logical < axis ? logical : logical + index_rank - 1);
    }
  }
  return result;
}

}  // namespace

Value reshape(const LoweringContext& context, const Node& node, const std::vector<Value>& inputs) {
  const ov::Shape shape = shape_of(node.type.shape, context.batch);
  const Value& x = inputs[0];
  const bool in_place = same_memory(x, identity_order(x.order.size()));
  return {reshaped(in_place ? x.output : logical_output(x), shape), identity_order(shape.size())};
}

Value transpose(const LoweringContext& /*context*/, const Node& node,
                const std::vector<Value>& inputs) {
  const Axes& permutation = std::get<TransposeAttributes>(node.attributes).permutation;
  Order moved_to(permutation.size());
  for (std::size_t axis = 0; axis < permutation.size(); ++axis) {
    moved_to[static_cast<std::size_t>(permutation[axis])] = axis;
  }
  Value result = inputs[0];
  for (std::size_t& axis : result.order) axis = moved_to[axis];
  return result;
}

Value concat(const LoweringContext& /*context*/, const Node& node,
             const std::vector<Value>& inputs) {
  const Value& largest =
      *std::max_element(inputs.begin(), inputs.end(),
                        [](const Value& a, const Value& b) { return size_of(a) < size_of(b); });
  ov::OutputVector parts;
  for (const Value& input : inputs) parts.push_back(arranged(input, largest.order).output);
  const std::size_t axis = physical_axis(largest, axis_of(node));
  return {std::make_shared<ov::op::v0::Concat>(parts, static_cast<std::int64_t>(axis)),
          largest.order};
}

Value pad(const LoweringContext& /*context*/, const Node& node, const std::vector<Value>& inputs) {
  const auto& pad = std::get<PadAttributes>(node.attributes);
  const Value& x = inputs[0];
  const auto zero = ov::op::v0::Constant::create(x.output.get_element_type(), {}, {0});
  return {std::make_shared<ov::op::v1::Pad>(
              x.output, int64_constant(to_physical(x, pad.pads_begin)),
              int64_constant(to_physical(x, pad.pads_end)), zero, ov::op::PadMode::CONSTANT),
          x.order};
}

Value slice(const LoweringContext& context, const Node& node, const std::vector<Value>& inputs) {
  const auto& slice = std::get<SliceAttributes>(node.attributes);
  const Shape& shape = context.graph.node(node.inputs[0]).type.shape;
  Axes end = slice.end;
  for (std::size_t axis = 0; axis < end.size(); ++axis) {
    if (shape[axis] == kBatch) {
      end[axis] = context.batch;
    } else if (end[axis] < 0) {
      // A negative index counts from the end; this one lies before index 0.
      end[axis] = std::numeric_limits<std::int32_t>::min();
    }
  }
  const Value& x = inputs[0];
  return {std::make_shared<ov::op::v8::Slice>(x.output, int64_constant(to_physical(x, slice.begin)),
                                              int64_constant(to_physical(x, end)),
                                              int64_constant(to_physical(x, slice.strides))),
          x.order};
}

Value gather(const LoweringContext& /*context*/, const Node& node,
             const std::vector<Value>& inputs) {
  const std::size_t axis = axis_of(node);
  const Value& x = inputs[0];
  const ov::Output<ov::Node> indices = logical_output(inputs[1]);
  const auto position =
      ov::op::v0::Constant::create(ov::element::i64, {}, {physical_axis(x, axis)});
  return {std::make_shared<ov::op::v8::Gather>(x.output, indices, position),
          gathered_order(x.order, axis, inputs[1].order.size())};
}

}  // namespace chexnet_trt::openvino::lowerings
