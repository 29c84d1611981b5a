#include <algorithm>
#include <openvino/op/constant.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reduce_min.hpp>
#include <openvino/op/reduce_prod.hpp>
#include <openvino/op/reduce_sum.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/squeeze.hpp>
#include <openvino/op/topk.hpp>

#include "backends/openvino/lowerings.hpp"
#include "common/error.hpp"

namespace chexnet_trt::openvino::lowerings {
namespace {

using Output = ov::Output<ov::Node>;

std::size_t axis_of(const Node& node) {
  return static_cast<std::size_t>(std::get<AxisAttributes>(node.attributes).axis);
}

/// The order of what remains when the logical axes are gone.
Order without_axes(const Order& order, const std::vector<std::size_t>& axes) {
  Order result;
  for (const std::size_t axis : order) {
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) continue;
    const auto below = std::count_if(axes.begin(), axes.end(),
                                     [axis](std::size_t removed) { return removed < axis; });
    result.push_back(axis - static_cast<std::size_t>(below));
  }
  return result;
}

std::shared_ptr<ov::Node> make_reduce(ReduceKind kind, const Output& x, const Output& axes,
                                      bool keep) {
  switch (kind) {
    case ReduceKind::kSum: return std::make_shared<ov::op::v1::ReduceSum>(x, axes, keep);
    case ReduceKind::kProd: return std::make_shared<ov::op::v1::ReduceProd>(x, axes, keep);
    case ReduceKind::kMax: return std::make_shared<ov::op::v1::ReduceMax>(x, axes, keep);
    case ReduceKind::kMin: return std::make_shared<ov::op::v1::ReduceMin>(x, axes, keep);
    case ReduceKind::kMean: return std::make_shared<ov::op::v1::ReduceMean>(x, axes, keep);
  }
  throw Error("unhandled reduce kind");
}

/// `stable` makes the first of equal elements win, as in TensorFlow.
Value arg_extreme(const Node& node, const Value& x, ov::op::TopKMode mode) {
  const std::size_t axis = axis_of(node);
  const std::size_t position = physical_axis(x, axis);
  constexpr bool kStable = true;
  const auto one = ov::op::v0::Constant::create(ov::element::i64, {}, {1});
  const auto top = std::make_shared<ov::op::v11::TopK>(
      x.output, one, static_cast<std::int64_t>(position), mode, ov::op::TopKSortType::SORT_VALUES,
      ov::element::i64, kStable);
  const auto axes = ov::op::v0::Constant::create(ov::element::i64, {1}, {position});
  return {std::make_shared<ov::op::v0::Squeeze>(top->output(1), axes),
          without_axes(x.order, {axis})};
}

}  // namespace

Value matmul(const LoweringContext& /*context*/, const Node& node,
             const std::vector<Value>& inputs) {
  const auto& matmul = std::get<MatMulAttributes>(node.attributes);
  const auto is_swapped = [](const Value& value) { return value.order[0] == 1; };
  return {std::make_shared<ov::op::v0::MatMul>(inputs[0].output, inputs[1].output,
                                               matmul.transpose_a != is_swapped(inputs[0]),
                                               matmul.transpose_b != is_swapped(inputs[1])),
          identity_order(2)};
}

Value softmax(const LoweringContext& /*context*/, const Node& node,
              const std::vector<Value>& inputs) {
  const std::size_t axis = physical_axis(inputs[0], axis_of(node));
  return {std::make_shared<ov::op::v8::Softmax>(inputs[0].output, static_cast<std::int64_t>(axis)),
          inputs[0].order};
}

Value reduce(const LoweringContext& /*context*/, const Node& node,
             const std::vector<Value>& inputs) {
  const auto& reduce = std::get<ReduceAttributes>(node.attributes);
  if (reduce.axes.empty()) return inputs[0];
  const std::vector<std::size_t> logical(reduce.axes.begin(), reduce.axes.end());
  std::vector<std::size_t> physical;
  physical.reserve(logical.size());
  for (const std::size_t axis : logical) physical.push_back(physical_axis(inputs[0], axis));
  std::sort(physical.begin(), physical.end());
  const auto axes = ov::op::v0::Constant::create(ov::element::i64, {physical.size()}, physical);
  return {make_reduce(reduce.kind, inputs[0].output, axes, reduce.keep_dims),
          reduce.keep_dims ? inputs[0].order : without_axes(inputs[0].order, logical)};
}

Value arg_max(const LoweringContext& /*context*/, const Node& node,
              const std::vector<Value>& inputs) {
  return arg_extreme(node, inputs[0], ov::op::TopKMode::MAX);
}

Value arg_min(const LoweringContext& /*context*/, const Node& node,
              const std::vector<Value>& inputs) {
  return arg_extreme(node, inputs[0], ov::op::TopKMode::MIN);
}

}  // namespace chexnet_trt::openvino::lowerings
