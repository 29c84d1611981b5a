#pragma once

#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt::shape_rules {

// One rule an op, of type `ShapeRule` (op_table.hpp), in TensorFlow's semantics. No rule lets an op
// mix the items of a batch: a batch may be run in pieces.
ValueType input(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType constant(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType same_as_input(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType elementwise(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType conv2d(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType conv_transpose2d(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType pool(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType matmul(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType binary(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType batch_norm(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType lrn(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType softmax(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType reduce(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType arg_reduce(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType reshape(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType transpose(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType concat(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType pad(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType slice(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType gather(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType cast(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType quantize(const std::vector<ValueType>& inputs, const Attributes& attributes);
ValueType dequantize(const std::vector<ValueType>& inputs, const Attributes& attributes);

}  // namespace chexnet_trt::shape_rules
