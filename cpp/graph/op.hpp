#pragma once

namespace chexnet_trt {

/// What a node computes. `op_table.hpp` holds name, arity, attributes, shape rule and evaluator.
enum class Op {
  kInput,
  kConstant,
  kIdentity,
  kConv2D,
  kConvTranspose2D,
  kMaxPool,
  kAveragePool,
  kMatMul,
  kBinary,
  kUnary,
  kActivation,
  kBatchNorm,
  kLrn,
  kSoftmax,
  kReduce,
  kArgMax,
  kArgMin,
  kReshape,
  kTranspose,
  kConcat,
  kPad,
  kSlice,
  kGather,
  kCast,
  kQuantize,
  kDequantize,
};

}  // namespace chexnet_trt
