#pragma once

#include "graph/graph.hpp"

namespace chexnet_trt {

/// A graph with every op of the table and no attribute at its default.
inline Graph one_of_each() {
  Graph g;
  const auto floats = [&](const char* name, Shape shape) {
    const auto count = static_cast<std::size_t>(element_count(shape));
    return g.add_constant(name, Tensor::from_floats(shape, std::vector<float>(count, 0.1F)));
  };
  const NodeId x =
      g.add_input("x", {ElementType::kFloat32, {kBatch, 4, 6, 6}}, TensorLayout::kNchw);
  ConvAttributes conv;
  conv.layout = TensorLayout::kNchw;
  conv.strides = {2, 1};
  conv.dilations = {1, 2};
  conv.pads_begin = {1, 2};
  conv.pads_end = {0, 3};
  conv.groups = 2;
  const NodeId c = g.add(Op::kConv2D, "conv", {x, floats("w", {3, 3, 2, 4})}, conv);
  ConvTransposeAttributes transposed;
  transposed.layout = TensorLayout::kNchw;
  transposed.strides = {2, 2};
  transposed.pads_begin = {0, 1};
  transposed.pads_end = {1, 0};
  transposed.output_size = {12, 12};
  g.add(Op::kConvTranspose2D, "up", {x, floats("v", {3, 3, 2, 4})}, transposed);
  PoolAttributes pool{TensorLayout::kNchw, {3, 2}, {2, 1}, {1, 0}, {2, 1}};
  const NodeId m = g.add(Op::kMaxPool, "max", {x}, pool);
  g.add(Op::kAveragePool, "avg", {m}, pool);
  const NodeId p4 = floats("p4", {4});
  g.add(Op::kBatchNorm, "bn", {x, p4, p4, p4, p4},
        BatchNormAttributes{TensorLayout::kNchw, 0.0010000000474974513});
  g.add(Op::kLrn, "lrn", {x}, LrnAttributes{TensorLayout::kNchw, 2, 1e-4, 0.75, 2});
  g.add(Op::kActivation, "leaky", {c}, ActivationAttributes{ActivationKind::kLeakyRelu, 0.2});
  g.add(Op::kUnary, "sqrt", {x}, UnaryAttributes{UnaryKind::kSqrt});
  g.add(Op::kBinary, "pow", {x, floats("s", {})}, BinaryAttributes{BinaryKind::kPow});
  const NodeId mean =
      g.add(Op::kReduce, "mean", {x}, ReduceAttributes{ReduceKind::kMean, {2, 3}, true});
  const NodeId row = g.add(Op::kReshape, "row", {mean}, ReshapeAttributes{{kBatch, 4}});
  const NodeId logits =
      g.add(Op::kMatMul, "fc", {row, floats("k", {7, 4})}, MatMulAttributes{false, true});
  const NodeId soft = g.add(Op::kSoftmax, "soft \"quoted\" \\", {logits}, AxisAttributes{1});
  const NodeId arg = g.add(Op::kArgMax, "arg", {soft}, AxisAttributes{1});
  g.add(Op::kArgMin, "least", {soft}, AxisAttributes{1});
  g.add(Op::kCast, "cast", {arg}, CastAttributes{ElementType::kFloat16});
  g.add(Op::kIdentity, "same", {x});
  g.add(Op::kTranspose, "nhwc", {x}, TransposeAttributes{{0, 2, 3, 1}});
  g.add(Op::kConcat, "cat", {x, x}, AxisAttributes{3});
  g.add(Op::kPad, "pad", {x}, PadAttributes{{0, 0, 1, 2}, {0, 0, 3, 4}});
  g.add(Op::kSlice, "slice", {x}, SliceAttributes{{0, 3, 0, 1}, {kBatch, -1, 6, 5}, {1, -2, 1, 3}});
  const NodeId picks = g.add_constant("picks", Tensor::from_ints(ElementType::kInt64, {2}, {1, 0}));
  g.add(Op::kGather, "gather", {x, picks}, AxisAttributes{1});
  const NodeId scale = floats("scale", {});
  const NodeId q = g.add(Op::kQuantize, "q", {x, scale}, QuantizeAttributes{ElementType::kUInt8});
  g.add(Op::kDequantize, "dq", {q, p4}, AxisAttributes{1});
  g.add_output("scores", soft);
  g.add_output("labels", arg);
  return g;
}

}  // namespace chexnet_trt
