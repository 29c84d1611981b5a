#pragma once

#include "backends/cuda/fusion/program_builder.hpp"

// What adds the steps of a node that no step has taken, one function a kind of op. All raise
// InputError naming the node when this backend does not compute it.

namespace chexnet_trt::cuda {

void lower_input(ProgramBuilder& builder, NodeId id);
void lower_conv(ProgramBuilder& builder, NodeId id);
void lower_pool(ProgramBuilder& builder, NodeId id);
void lower_reduce(ProgramBuilder& builder, NodeId id);
void lower_dense(ProgramBuilder& builder, NodeId id);
void lower_elementwise(ProgramBuilder& builder, NodeId id);
/// Moves nothing: the operands are written into their channels of one value.
void lower_concat(ProgramBuilder& builder, NodeId id);
void lower_flatten(ProgramBuilder& builder, NodeId id);
void lower_softmax(ProgramBuilder& builder, NodeId id);
void lower_transposed_conv(ProgramBuilder& builder, NodeId id);
void lower_unary(ProgramBuilder& builder, NodeId id);
void lower_pad(ProgramBuilder& builder, NodeId id);
void lower_slice(ProgramBuilder& builder, NodeId id);
void lower_lrn(ProgramBuilder& builder, NodeId id);

/// The outputs of the network, once all nodes are lowered.
void lower_outputs(ProgramBuilder& builder);

}  // namespace chexnet_trt::cuda
