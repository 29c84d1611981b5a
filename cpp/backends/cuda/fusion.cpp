#include "backends/cuda/fusion.hpp"

#include <algorithm>
#include <vector>

#include "backends/cuda/back_to_back.hpp"
#include "backends/cuda/fusion/fold_maps.hpp"
#include "backends/cuda/fusion/lowerings.hpp"
#include "common/error.hpp"
#include "graph/op_table.hpp"

namespace chexnet_trt::cuda {
namespace {

/// Read through by those that use it (constants) or past (GraphView's aliases).
void lower_nothing(ProgramBuilder& /*builder*/, NodeId /*id*/) {}

void refuse_here(ProgramBuilder& builder, NodeId id) {
  refuse(builder.node(id), "does not compute this op here");
}

struct Lowering {
  Op op;
  void (*lower)(ProgramBuilder& builder, NodeId id);
  const char* reason;  ///< why no node of `op` can be lowered; empty when some can
};

const std::vector<Lowering>& lowerings() {
  static const std::vector<Lowering> table{
      {Op::kInput, lower_input, ""},
      {Op::kConstant, lower_nothing, ""},
      {Op::kIdentity, lower_nothing, ""},
      {Op::kConv2D, lower_conv, ""},
      {Op::kConvTranspose2D, lower_transposed_conv, ""},
      {Op::kMaxPool, lower_pool, ""},
      {Op::kAveragePool, lower_pool, ""},
      {Op::kMatMul, lower_dense, ""},
      {Op::kBinary, lower_elementwise, ""},
      {Op::kUnary, lower_unary, ""},
      {Op::kActivation, lower_elementwise, ""},
      {Op::kBatchNorm, refuse_here, "the cuda backend computes it with constant parameters alone"},
      {Op::kLrn, lower_lrn, ""},
      {Op::kSoftmax, lower_softmax, ""},
      {Op::kReduce, lower_reduce, ""},
      {Op::kArgMax, lower_nothing, ""},  // by lower_outputs
      {Op::kArgMin, lower_nothing, ""},
      {Op::kReshape, lower_flatten, ""},
      {Op::kTranspose, refuse_here, ""},
      {Op::kConcat, lower_concat, ""},
      {Op::kPad, lower_pad, ""},
      {Op::kSlice, lower_slice, ""},
      {Op::kGather, refuse_here, "the cuda backend looks up no indices"},
      {Op::kCast, refuse_here, ""},  // by lower_input
      {Op::kQuantize, lower_elementwise, ""},
      {Op::kDequantize, refuse_here, ""},
  };
  return table;
}

const Lowering& lowering_of(Op op) {
  const auto& all = lowerings();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Lowering& each) { return each.op == op; });
  if (found == all.end()) throw Error("no lowering of '" + std::string(name_of(op)) + "'");
  return *found;
}

}  // namespace

Program fuse(const Graph& graph, std::int64_t batch, Precision precision) {
  ProgramBuilder builder(graph, batch, precision);
  for (std::size_t index = 0; index < graph.nodes().size(); ++index) {
    const auto id = static_cast<NodeId>(index);
    if (builder.is_claimed(id) || builder.view().is_alias(id) || !builder.is_variable(id)) continue;
    lowering_of(graph.node(id).op).lower(builder, id);
  }
  lower_outputs(builder);
  Program program = builder.take();
  fold_maps(program);
  program.back_to_back = find_back_to_back(program);
  return program;
}

std::string unsupported_reason(Op op) { return lowering_of(op).reason; }

}  // namespace chexnet_trt::cuda
