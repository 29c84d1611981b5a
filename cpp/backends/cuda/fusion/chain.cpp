#include "backends/cuda/fusion/chain.hpp"

#include <utility>

#include "backends/cuda/fusion/affine.hpp"

namespace chexnet_trt::cuda {

Chain::Chain(ProgramBuilder& builder, NodeId anchor, StepKind kind)
    : builder_(builder), end_(anchor) {
  step_.name = node(anchor).name;
  step_.nodes.push_back(node(anchor).name);
  step_.kind = std::move(kind);
}

Chain::Chain(ProgramBuilder& builder, NodeId source) : builder_(builder), end_(source) {
  step_.kind = MapStep{builder.value_of(source)};
}

void Chain::claim(NodeId id) {
  builder_.claim(id);
  if (step_.name.empty()) step_.name = node(id).name;
  step_.nodes.push_back(node(id).name);
  is_empty_ = false;
}

void Chain::take_cast(NodeId cast) {
  claim(cast);
  end_ = cast;
}

void Chain::take_quantize(NodeId quantize) {
  claim(quantize);
  end_ = quantize;
  phase_ = Phase::kDone;
  builder_.quantized_value(quantize);
}

bool Chain::take(NodeId reader) {
  const bool taken =
      (phase_ == Phase::kAffine && compose(step_.epilogue.affine, builder_, reader)) ||
      (takes_all_ && (take_activation(reader) || take_sum(reader)));
  if (!taken) return false;
  claim(reader);
  end_ = reader;
  return true;
}

bool Chain::take_activation(NodeId reader) {
  const Node& own = node(reader);
  if (own.op != Op::kActivation) return false;
  const auto& activation = std::get<ActivationAttributes>(own.attributes);
  if (phase_ == Phase::kAffine) {
    step_.epilogue.activation = activation;
    phase_ = Phase::kActivated;
    return true;
  }
  if (phase_ != Phase::kSummed) return false;
  step_.epilogue.activation_after = activation;
  phase_ = Phase::kDone;
  return true;
}

bool Chain::take_sum(NodeId reader) {
  const Node& own = node(reader);
  const GraphView& view = builder_.view();
  if (own.op != Op::kBinary || phase_ > Phase::kActivated) return false;
  if (std::get<BinaryAttributes>(own.attributes).kind != BinaryKind::kAdd) return false;
  const bool is_left = view.source(own.inputs[0]) == end_;
  const NodeId other = own.inputs[is_left ? 1 : 0];
  if (builder_.is_constant(other) || !have_same_extents(view, reader, other) ||
      !have_same_extents(view, reader, end_)) {
    return false;
  }
  step_.epilogue.residual = builder_.value_of(view.source(other));
  phase_ = Phase::kSummed;
  return true;
}

void Chain::finish() {
  NodeId next = builder_.sole_reader(end_);
  while (next >= 0 && take(next)) next = builder_.sole_reader(end_);
  if (next >= 0 && node(next).op == Op::kQuantize) take_quantize(next);
  step_.epilogue.output = builder_.value_of(end_);
  keep_type_of_moved();
  if (takes_all_) add_second();
  builder_.add_step(std::move(step_));
}

/// A maximum of stored 8-bit values is one of them.
void Chain::keep_type_of_moved() {
  const auto* pool = std::get_if<PoolStep>(&step_.kind);
  if (pool == nullptr || !pool->is_max || !is_empty_) return;
  const Value input = builder_.value(pool->input);
  Value& output = builder_.value(step_.epilogue.output);
  output.element = input.element;
  output.scale = input.scale;
}

void Chain::add_second() {
  const std::vector<NodeId>& readers = builder_.view().readers(end_);
  for (const NodeId reader : readers) {
    if (reader < 0 || builder_.is_claimed(reader)) continue;
    const NodeId end = extend_second(reader);
    if (end < 0) continue;
    step_.epilogue.second = builder_.value_of(end);
    step_.epilogue.stores_output = readers.size() > 1;
    return;
  }
}

/// The end of the elementwise nodes from `reader` on, which are then the chain's; -1: none.
NodeId Chain::extend_second(NodeId reader) {
  NodeId end = -1;
  const auto claim_and_go_on = [&](NodeId id) {
    claim(id);
    end = id;
    return builder_.sole_reader(id);
  };
  NodeId next = reader;
  while (next >= 0 && compose(step_.epilogue.second_affine, builder_, next)) {
    next = claim_and_go_on(next);
  }
  if (next >= 0 && node(next).op == Op::kActivation) {
    step_.epilogue.second_activation = std::get<ActivationAttributes>(node(next).attributes);
    next = claim_and_go_on(next);
  }
  if (next >= 0 && node(next).op == Op::kQuantize) {
    builder_.quantized_value(next);
    claim_and_go_on(next);
  }
  return end;
}

}  // namespace chexnet_trt::cuda
