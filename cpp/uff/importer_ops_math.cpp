#include <algorithm>

#include "uff/import_orders.hpp"
#include "uff/importer_ops.hpp"

namespace chexnet_trt::uff::handlers {
namespace {

void require_floats(const NodeImporter& node, const Value& value) {
  if (!is_floating(node.type_of(value).element)) {
    node.fail("it needs floating-point values, got " +
              std::string(name_of(node.type_of(value).element)));
  }
}

/// The enumerator called by the field `func`.
template <typename Kind>
Kind function_of(const NodeImporter& node) {
  const std::string function = node.text("func");
  Kind kind{};
  try {
    from_name(function, kind);
  } catch (const InputError&) {
    node.unsupported("the function '" + function + "' is unknown; rewrite the model without it");
  }
  return kind;
}

Value make_binary(NodeImporter& node, BinaryKind kind) {
  node.require_inputs(2);
  return node.emit(Op::kBinary, {node.input(0), node.input(1)}, BinaryAttributes{kind});
}

Value arg_reduce(NodeImporter& node, Op op) {
  node.require_inputs(1);
  const std::size_t rank = node.type_of(node.input(0)).shape.size();
  return node.emit(op, {node.input(0)}, AxisAttributes{node.axis(node.integer("axis"), rank)});
}

/// The left operand as a matrix: an image of one pixel, or one channel, is a row.
Value matrix(NodeImporter& node) {
  const Value& x = node.input(0);
  const ValueType type = node.type_of(x);
  require_floats(node, x);
  if (type.shape.size() == 2) return x;
  if (type.shape.size() < 2 || type.shape[0] != kBatch) {
    node.fail("it needs a matrix, got " + to_string(type.shape));
  }
  const auto is_wide = [](std::int64_t extent) { return extent != 1; };
  if (std::count_if(type.shape.begin() + 1, type.shape.end(), is_wide) > 1) {
    node.fail("it needs a matrix, got " + to_string(type.shape) +
              "; is the size given by --uffInput wrong, or a Flatten missing?");
  }
  const Shape row(type.shape.begin() + 1, type.shape.end());
  return node.emit(Op::kReshape, {x}, ReshapeAttributes{{kBatch, element_count(row)}}, "/matrix");
}

}  // namespace

Value fully_connected(NodeImporter& node) {
  node.require_inputs(2);
  const Axes left = stored_axes(node, 0, 2, {0, 1});
  const Axes right = stored_axes(node, 1, 2, {1, 0});
  const MatMulAttributes attributes{left == Axes{1, 0}, right == Axes{0, 1}};
  require_floats(node, node.input(1));
  return node.emit(Op::kMatMul, {matrix(node), node.input(1)}, attributes);
}

Value binary(NodeImporter& node) { return make_binary(node, function_of<BinaryKind>(node)); }

Value add(NodeImporter& node) { return make_binary(node, BinaryKind::kAdd); }

Value unary(NodeImporter& node) {
  node.require_inputs(1);
  const auto kind = function_of<UnaryKind>(node);
  require_floats(node, node.input(0));
  return node.emit(Op::kUnary, {node.input(0)}, UnaryAttributes{kind});
}

Value activation(NodeImporter& node) {
  node.require_inputs(1);
  const auto kind = function_of<ActivationKind>(node);
  if (kind == ActivationKind::kLeakyRelu) {
    node.unsupported("a leaky relu without a slope; convert the model again");
  }
  require_floats(node, node.input(0));
  return node.emit(Op::kActivation, {node.input(0)}, ActivationAttributes{kind, 0});
}

Value leaky_relu(NodeImporter& node) {
  node.require_inputs(1);
  require_floats(node, node.input(0));
  return node.emit(Op::kActivation, {node.input(0)},
                   ActivationAttributes{ActivationKind::kLeakyRelu, node.real("alpha")});
}

/// TensorFlow's Softmax works on the last axis; the field `axis` is 0 in every file.
Value softmax(NodeImporter& node) {
  node.require_inputs(1);
  require_floats(node, node.input(0));
  const std::size_t rank = node.type_of(node.input(0)).shape.size();
  return node.emit(Op::kSoftmax, {node.input(0)}, AxisAttributes{node.axis(-1, rank)});
}

Value reduce(NodeImporter& node) {
  node.require_inputs(1);
  ReduceAttributes attributes;
  attributes.kind = function_of<ReduceKind>(node);
  attributes.keep_dims = node.flag("keepdims", false);
  const std::size_t rank = node.type_of(node.input(0)).shape.size();
  for (const std::int64_t axis : node.integers("axes")) {
    attributes.axes.push_back(node.axis(axis, rank));
  }
  std::sort(attributes.axes.begin(), attributes.axes.end());
  if (std::adjacent_find(attributes.axes.begin(), attributes.axes.end()) != attributes.axes.end()) {
    node.fail("the field 'axes' names an axis twice");
  }
  return node.emit(Op::kReduce, {node.input(0)}, attributes);
}

Value arg_max(NodeImporter& node) { return arg_reduce(node, Op::kArgMax); }
Value arg_min(NodeImporter& node) { return arg_reduce(node, Op::kArgMin); }

}  // namespace chexnet_trt::uff::handlers
