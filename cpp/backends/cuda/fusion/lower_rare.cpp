#include <array>

#include "backends/cuda/conv_weights.hpp"
#include "backends/cuda/fusion/chain.hpp"
#include "backends/cuda/fusion/constants.hpp"
#include "backends/cuda/fusion/lowerings.hpp"

// Ops that are rare in image classifiers, but for binary ones.

namespace chexnet_trt::cuda {
namespace {

/// Of {height, width, channels} in the shape of `id`; -1 where it has no such axis.
std::array<int, 3> axes_of(const ProgramBuilder& builder, NodeId id) {
  if (builder.node(id).type.shape.size() == 2) return {-1, -1, 1};
  if (builder.view().layout(id) == TensorLayout::kNhwc) return {1, 2, 3};
  return {2, 3, 1};
}

WindowStep window_of(ProgramBuilder& builder, NodeId id, const Axes& begin, const Axes& strides) {
  WindowStep window;
  builder.view().extents(id);  // refuses what is neither image nor matrix
  window.input = builder.operand(id, 0);
  const std::array<int, 3> axes = axes_of(builder, id);
  for (std::size_t which = 0; which < axes.size(); ++which) {
    if (axes[which] < 0) continue;
    const auto axis = static_cast<std::size_t>(axes[which]);
    window.begin[which] = begin[axis];
    window.strides[which] = strides[axis];
  }
  return window;
}

}  // namespace

void lower_flatten(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  const NodeId input = node.inputs[0];
  if (node.type.shape.size() != 2 || builder.node(input).type.shape.size() != 4) {
    refuse(node, "reshapes images to rows alone");
  }
  const bool channels_first = builder.view().layout(input) == TensorLayout::kNchw;
  Chain(builder, id, FlattenStep{builder.operand(id, 0), channels_first}).finish();
}

void lower_softmax(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(node.attributes).axis);
  if (axis != builder.view().channel_axis(id)) refuse(node, "has softmax over channels alone");
  Chain(builder, id, SoftmaxStep{builder.operand(id, 0)}).finish();
}

void lower_transposed_conv(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  const auto& attributes = std::get<ConvTransposeAttributes>(node.attributes);
  const LayerWeights weights = weights_of(builder, id);
  if (!weights.scales.empty()) refuse(node, "has no transposed convolution in 8 bits");
  Chain(builder, id,
        TransposedConvStep{builder.operand(id, 0), transposed_out_channels_first(weights.values),
                           attributes.strides, attributes.pads_begin})
      .finish();
}

void lower_unary(ProgramBuilder& builder, NodeId id) {
  const UnaryKind kind = std::get<UnaryAttributes>(builder.node(id).attributes).kind;
  Chain(builder, id, UnaryStep{builder.operand(id, 0), kind}).finish();
}

void lower_pad(ProgramBuilder& builder, NodeId id) {
  const auto& attributes = std::get<PadAttributes>(builder.node(id).attributes);
  Axes begin = attributes.pads_begin;
  if (begin[0] != 0 || attributes.pads_end[0] != 0) refuse(builder.node(id), "pads no batch");
  for (std::int64_t& each : begin) each = -each;
  Chain(builder, id, window_of(builder, id, begin, Axes(begin.size(), 1))).finish();
}

void lower_slice(ProgramBuilder& builder, NodeId id) {
  const auto& attributes = std::get<SliceAttributes>(builder.node(id).attributes);
  Chain(builder, id, window_of(builder, id, attributes.begin, attributes.strides)).finish();
}

void lower_lrn(ProgramBuilder& builder, NodeId id) {
  const auto& attributes = std::get<LrnAttributes>(builder.node(id).attributes);
  Chain(builder, id, LrnStep{builder.operand(id, 0), attributes}).finish();
}

}  // namespace chexnet_trt::cuda
