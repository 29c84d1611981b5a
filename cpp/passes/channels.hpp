#pragma once

#include <optional>
#include <vector>

#include "graph/per_channel.hpp"
#include "graph/rewriter.hpp"

namespace chexnet_trt::passes {

/// A convolution, transposed convolution or matmul with constant float weights: an op whose output
/// channel is a linear function of its own slice of the weights.
struct LinearOp {
  NodeId id = -1;
  std::int64_t channels = 0;
  std::size_t channel_axis = 0;  ///< of the op's value
  std::size_t weights_axis = 0;  ///< of the weights
};

/// Empty when `id` is none, or its weights are no constant.
std::optional<LinearOp> linear_op(const Graph& graph, NodeId id);

/// A binary node as variable operand and constant operand.
struct ConstantOperand {
  NodeId value = -1;
  NodeId constant_id = -1;
  const Tensor* constant = nullptr;
};

/// Empty unless `id` is a floating-point binary of `kind` with exactly one constant operand, which
/// does not widen the other. For sub and div the constant is the right one.
std::optional<ConstantOperand> constant_operand(const Graph& graph, NodeId id, BinaryKind kind);

/// [C], or [C, 1, 1] when two axes follow the channel: broadcasts against such a value.
Tensor channel_constant(ElementType type, const std::vector<double>& values, std::size_t rank,
                        std::size_t channel_axis);

/// Copies `linear` with its weights multiplied channel by channel, under its own name.
NodeId copy_scaled(GraphRewriter& rewriter, const LinearOp& linear,
                   const std::vector<double>& factors);

constexpr std::size_t channel_axis_of(TensorLayout layout) {
  return layout == TensorLayout::kNhwc ? 3 : 1;
}

}  // namespace chexnet_trt::passes
