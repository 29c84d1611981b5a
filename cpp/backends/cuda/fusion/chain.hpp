#pragma once

#include "backends/cuda/fusion/program_builder.hpp"

namespace chexnet_trt::cuda {

/// A step that is being put together. It starts at an anchor (a convolution, pool, mean, dense layer,
/// or an elementwise node that no step has taken) and takes its readers, one after another, while
/// each is the only reader and the epilogue has a place for it: per-channel scale and shift,
/// activation, residual sum, activation, quantize. What then reads the stored value elementwise
/// becomes the step's second output: the scale-shift and activation in front of the next block of a
/// pre-activation network.
class Chain {
 public:
  /// `kind` computes `anchor`.
  Chain(ProgramBuilder& builder, NodeId anchor, StepKind kind);
  /// A map that computes no node yet, of what `source` stores.
  Chain(ProgramBuilder& builder, NodeId source);

  Epilogue& epilogue() { return step_.epilogue; }
  /// From here on: only scale, shift and quantize.
  void take_no_more_than_scales() { takes_all_ = false; }
  /// Takes a node that changes no number.
  void take_cast(NodeId cast);
  void take_quantize(NodeId quantize);
  /// Takes `reader` if the epilogue has a place for it.
  bool take(NodeId reader);
  /// Takes what follows, and adds the step to the program.
  void finish();

 private:
  enum class Phase { kAffine, kActivated, kSummed, kDone };

  const Node& node(NodeId id) const { return builder_.node(id); }
  void claim(NodeId id);
  bool take_activation(NodeId reader);
  bool take_sum(NodeId reader);
  void keep_type_of_moved();
  void add_second();
  NodeId extend_second(NodeId reader);

  ProgramBuilder& builder_;
  Step step_;
  NodeId end_ = -1;  ///< the last source that it computes
  Phase phase_ = Phase::kAffine;
  bool is_empty_ = true;
  bool takes_all_ = true;
};

}  // namespace chexnet_trt::cuda
