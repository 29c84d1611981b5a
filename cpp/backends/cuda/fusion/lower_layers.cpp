#include <utility>

#include "backends/cuda/conv_weights.hpp"
#include "backends/cuda/fusion/chain.hpp"
#include "backends/cuda/fusion/constants.hpp"
#include "backends/cuda/fusion/lowerings.hpp"

// Pools, reductions and dense layers.

namespace chexnet_trt::cuda {

void lower_pool(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  const auto& attributes = std::get<PoolAttributes>(node.attributes);
  const PoolStep pool{builder.operand(id, 0), node.op == Op::kMaxPool, attributes.kernel,
                      attributes.strides, attributes.pads_begin};
  Chain(builder, id, pool).finish();
}

void lower_reduce(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  const auto& attributes = std::get<ReduceAttributes>(node.attributes);
  const NodeId input = node.inputs[0];
  const bool is_nhwc = builder.view().layout(input) == TensorLayout::kNhwc;
  if (builder.node(input).type.shape.size() != 4 ||
      attributes.axes != (is_nhwc ? Axes{1, 2} : Axes{2, 3})) {
    refuse(node, "reduces images over their pixels alone");
  }
  const int pixels = builder.operand(id, 0);
  if (attributes.kind == ReduceKind::kMean) {
    Chain(builder, id, MeanStep{pixels}).finish();
  } else {
    Chain(builder, id, ReduceStep{pixels, attributes.kind}).finish();
  }
}

void lower_dense(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  const auto& attributes = std::get<MatMulAttributes>(node.attributes);
  const LayerWeights weights = weights_of(builder, id);
  const Shape& shape = weights.values.shape();
  if (attributes.transpose_a || shape.size() != 2 ||
      (attributes.transpose_b && !weights.scales.empty())) {
    refuse(node, "multiplies rows by a constant matrix alone");
  }
  Tensor floats = as_floats(weights);
  if (!attributes.transpose_b) {
    floats = out_channels_first(floats.reshaped({1, 1, shape[0], shape[1]}));
    floats = floats.reshaped({shape[1], shape[0]});
  }
  Chain(builder, id, DenseStep{builder.operand(id, 0), std::move(floats)}).finish();
}

}  // namespace chexnet_trt::cuda
