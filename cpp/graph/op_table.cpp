#include "graph/op_table.hpp"

#include <string>

#include "common/error.hpp"
#include "graph/evaluate.hpp"
#include "graph/shape_rules.hpp"

namespace chexnet_trt {
namespace {

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

template <typename Alternative, std::size_t Index = 0>
constexpr std::size_t index_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<Index, Attributes>, Alternative>) {
    return Index;
  } else {
    return index_of<Alternative, Index + 1>();
  }
}

template <std::size_t Index = 0>
Attributes alternative_at(std::size_t index) {
  if constexpr (Index < std::variant_size_v<Attributes>) {
    if (index == Index) return Attributes(std::in_place_index<Index>);
    return alternative_at<Index + 1>(index);
  }
  throw Error("no such attributes");
}

std::vector<OpInfo> make_table() {
  namespace rule = shape_rules;
  namespace eval = evaluators;
  return {
      {Op::kInput, "input", 0, 0, index_of<InputAttributes>(), rule::input, nullptr},
      {Op::kConstant, "constant", 0, 0, index_of<ConstantAttributes>(), rule::constant, nullptr},
      {Op::kIdentity, "identity", 1, 1, index_of<NoAttributes>(), rule::same_as_input,
       eval::identity},
      {Op::kConv2D, "conv2d", 2, 2, index_of<ConvAttributes>(), rule::conv2d, nullptr},
      {Op::kConvTranspose2D, "conv_transpose2d", 2, 2, index_of<ConvTransposeAttributes>(),
       rule::conv_transpose2d, nullptr},
      {Op::kMaxPool, "max_pool", 1, 1, index_of<PoolAttributes>(), rule::pool, nullptr},
      {Op::kAveragePool, "average_pool", 1, 1, index_of<PoolAttributes>(), rule::pool, nullptr},
      {Op::kMatMul, "matmul", 2, 2, index_of<MatMulAttributes>(), rule::matmul, nullptr},
      {Op::kBinary, "binary", 2, 2, index_of<BinaryAttributes>(), rule::binary, eval::binary},
      {Op::kUnary, "unary", 1, 1, index_of<UnaryAttributes>(), rule::elementwise, eval::unary},
      {Op::kActivation, "activation", 1, 1, index_of<ActivationAttributes>(), rule::elementwise,
       eval::activation},
      {Op::kBatchNorm, "batch_norm", 5, 5, index_of<BatchNormAttributes>(), rule::batch_norm,
       nullptr},
      {Op::kLrn, "lrn", 1, 1, index_of<LrnAttributes>(), rule::lrn, nullptr},
      {Op::kSoftmax, "softmax", 1, 1, index_of<AxisAttributes>(), rule::softmax, nullptr},
      {Op::kReduce, "reduce", 1, 1, index_of<ReduceAttributes>(), rule::reduce, eval::reduce},
      {Op::kArgMax, "arg_max", 1, 1, index_of<AxisAttributes>(), rule::arg_reduce, nullptr},
      {Op::kArgMin, "arg_min", 1, 1, index_of<AxisAttributes>(), rule::arg_reduce, nullptr},
      {Op::kReshape, "reshape", 1, 1, index_of<ReshapeAttributes>(), rule::reshape, eval::reshape},
      {Op::kTranspose, "transpose", 1, 1, index_of<TransposeAttributes>(), rule::transpose,
       eval::transpose},
      {Op::kConcat, "concat", 1, kAny, index_of<AxisAttributes>(), rule::concat, eval::concat},
      {Op::kPad, "pad", 1, 1, index_of<PadAttributes>(), rule::pad, eval::pad},
      {Op::kSlice, "slice", 1, 1, index_of<SliceAttributes>(), rule::slice, eval::slice},
      {Op::kGather, "gather", 2, 2, index_of<AxisAttributes>(), rule::gather, eval::gather},
      {Op::kCast, "cast", 1, 1, index_of<CastAttributes>(), rule::cast, eval::cast},
      {Op::kQuantize, "quantize", 2, 2, index_of<QuantizeAttributes>(), rule::quantize, nullptr},
      // Unfolded on purpose: folding would turn int8 weights back into float32.
      {Op::kDequantize, "dequantize", 2, 2, index_of<AxisAttributes>(), rule::dequantize, nullptr},
  };
}

/// Bounds that keep every later size computation within 63 bits.
void check_result(const OpInfo& info, const ValueType& type) {
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;
  const std::string name(info.name);
  const Shape& shape = type.shape;
  if (shape.size() > kMaxRank) {
    throw InputError(name + " would have rank " + std::to_string(shape.size()) + ", the limit is " +
                     std::to_string(kMaxRank));
  }
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0) {
      throw InputError(name + " would have the empty shape " + to_string(shape));
    }
    if (axis > 0 && shape[axis] == kBatch) {
      throw InputError(name + " would move the batch away from the front");
    }
  }
  if (element_count(with_batch(shape, 1)) > kMaxElements) {
    throw InputError(name + " would have the shape " + to_string(shape) +
                     ", more than 2^40 elements");
  }
}

void check_arity(const OpInfo& info, std::size_t count) {
  if (count >= info.min_inputs && count <= info.max_inputs) return;
  throw InputError(std::string(info.name) + " takes " + std::to_string(info.min_inputs) +
                   (info.max_inputs == kAny ? " or more" : "") + " inputs, got " +
                   std::to_string(count));
}

}  // namespace

const std::vector<OpInfo>& op_table() {
  static const std::vector<OpInfo> table = make_table();
  return table;
}

const OpInfo& info_of(Op op) { return op_table().at(static_cast<std::size_t>(op)); }

std::string_view name_of(Op op) { return info_of(op).name; }

Op op_from_name(std::string_view name) {
  for (const OpInfo& info : op_table()) {
    if (info.name == name) return info.op;
  }
  throw InputError("unknown op '" + std::string(name) + "'");
}

Attributes default_attributes(Op op) { return alternative_at(info_of(op).attributes); }

ValueType infer_type(Op op, const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const OpInfo& info = info_of(op);
  check_arity(info, inputs.size());
  if (attributes.index() != info.attributes) {
    throw InputError(std::string(info.name) + " has the attributes of another op");
  }
  ValueType type = info.infer(inputs, attributes);
  check_result(info, type);
  return type;
}

std::optional<Tensor> evaluate(Op op, const std::vector<Tensor>& inputs,
                               const Attributes& attributes) {
  const OpInfo& info = info_of(op);
  if (info.evaluate == nullptr) return std::nullopt;
  std::vector<ValueType> types;
  types.reserve(inputs.size());
  for (const Tensor& tensor : inputs) types.push_back({tensor.type(), tensor.shape()});
  return info.evaluate(inputs, attributes, infer_type(op, types, attributes));
}

}  // namespace chexnet_trt
