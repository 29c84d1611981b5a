#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt {

/// Computes the type of a node's value. Raises InputError saying what is wrong, without the node's
/// name: the graph adds it.
using ShapeRule = ValueType (*)(const std::vector<ValueType>& inputs, const Attributes& attributes);

/// Computes a node whose inputs are all constants, in float64 or int64, rounded to the type of the
/// result.
using Evaluator = Tensor (*)(const std::vector<Tensor>& inputs, const Attributes& attributes,
                             const ValueType& type);

/// One row of the op table: all that the graph knows about an op.
struct OpInfo {
  Op op;
  std::string_view name;
  std::size_t min_inputs;
  std::size_t max_inputs;
  std::size_t attributes;  ///< index into the variant `Attributes`
  ShapeRule infer;
  Evaluator evaluate;  ///< nullptr: never folded
};

/// Every op, in the order of the enum.
const std::vector<OpInfo>& op_table();

const OpInfo& info_of(Op op);
std::string_view name_of(Op op);
/// Raises InputError on an unknown name.
Op op_from_name(std::string_view name);

/// The op's attributes, every field at its default.
Attributes default_attributes(Op op);

/// Arity and attribute checks, then the shape rule.
ValueType infer_type(Op op, const std::vector<ValueType>& inputs, const Attributes& attributes);

/// The value of the node if its op has an evaluator and `inputs` are all its operands.
std::optional<Tensor> evaluate(Op op, const std::vector<Tensor>& inputs,
                               const Attributes& attributes);

}  // namespace chexnet_trt
