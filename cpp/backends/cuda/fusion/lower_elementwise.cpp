#include <optional>
#include <utility>

#include "backends/cuda/fusion/affine.hpp"
#include "backends/cuda/fusion/chain.hpp"
#include "backends/cuda/fusion/lowerings.hpp"

namespace chexnet_trt::cuda {
namespace {

constexpr const char* kOperands =
    "computes images with images of one size, or with a number a channel";

/// Of the size of `result`, or one pixel of as many channels.
bool can_pair(const GraphView& view, NodeId operand, NodeId result) {
  const Extents own = view.extents(operand);
  if (own.channels != view.extents(result).channels) return false;
  return (own.height == 1 && own.width == 1) || have_same_extents(view, operand, result);
}

PairStep pair_of(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  PairStep pair;
  pair.kind = std::get<BinaryAttributes>(node.attributes).kind;
  pair.is_reversed = builder.is_constant(node.inputs[0]);
  const NodeId input = node.inputs[pair.is_reversed ? 1 : 0];
  const NodeId other = node.inputs[pair.is_reversed ? 0 : 1];
  if (!can_pair(builder.view(), input, id)) refuse(node, kOperands);
  pair.input = builder.value_of(builder.view().source(input));
  if (!builder.is_constant(other)) {
    if (!can_pair(builder.view(), other, id)) refuse(node, kOperands);
    pair.other = builder.value_of(builder.view().source(other));
    return pair;
  }
  const Tensor* constant = builder.graph().constant(other);
  if (constant == nullptr) refuse(node, kOperands);
  const std::optional<std::vector<double>> values = builder.view().per_channel(*constant, id);
  if (!values) refuse(node, kOperands);
  pair.per_channel.assign(values->begin(), values->end());
  return pair;
}

}  // namespace

void lower_elementwise(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  const std::size_t variable = builder.is_constant(node.inputs[0]) ? 1 : 0;
  Chain chain(builder, builder.view().source(node.inputs[variable]));
  if (node.op == Op::kQuantize) {
    chain.take_quantize(id);
  } else if (!chain.take(id)) {
    Chain(builder, id, pair_of(builder, id)).finish();
    return;
  }
  chain.finish();
}

}  // namespace chexnet_trt::cuda
