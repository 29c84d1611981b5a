#include <algorithm>

#include "uff/importer_ops.hpp"
#include "uff/reshape_target.hpp"

namespace chexnet_trt::uff::handlers {
namespace {

bool has_batch(const Shape& shape) { return !shape.empty() && shape.front() == kBatch; }

Value reshaped(NodeImporter& node, const Value& x, Shape shape, const std::string& suffix = "") {
  return node.emit(Op::kReshape, {x}, ReshapeAttributes{std::move(shape)}, suffix);
}

Shape with_unit_axis(const NodeImporter& node, const Shape& shape, std::int64_t axis) {
  const std::int64_t at = node.axis(axis, shape.size() + 1);
  if (at == 0 && has_batch(shape)) node.fail("a new axis in front of the batch is not possible");
  Shape result = shape;
  result.insert(result.begin() + at, 1);
  return result;
}

Value make_gather(NodeImporter& node, std::int64_t axis) {
  node.require_inputs(2);
  const std::size_t rank = node.type_of(node.input(0)).shape.size();
  return node.emit(Op::kGather, {node.input(0), node.input(1)},
                   AxisAttributes{node.axis(axis, rank)});
}

}  // namespace

Value reshape(NodeImporter& node) {
  node.require_inputs(2);
  const Value& target = node.input(1);
  if (!target.constant) {
    node.unsupported("its shape is computed at run time; export the model with a constant shape");
  }
  if (is_floating(target.constant->type()) || target.constant->shape().size() != 1) {
    node.fail("its shape is not a list of integers");
  }
  std::vector<ReshapeEntry> entries;
  for (const std::int64_t extent : target.constant->to_ints()) entries.push_back({extent, false});
  if (target.batch_mask) {
    const std::vector<std::int64_t> mask = target.batch_mask->to_ints();
    for (std::size_t axis = 0; axis < mask.size(); ++axis) entries[axis].is_batch = mask[axis] != 0;
  }
  try {
    const Shape source = node.type_of(node.input(0)).shape;
    return reshaped(node, node.input(0), reshape_target(source, entries, node.fixed_batches()));
  } catch (const UnsupportedNode&) {
    throw;
  } catch (const InputError& error) {
    const std::string message = error.what();
    if (message.compare(0, 6, "node '") == 0) throw;
    node.fail(message);
  }
}

/// Without axes every extent of 1 goes, the batch aside.
Value squeeze(NodeImporter& node) {
  node.require_inputs(1);
  const Shape shape = node.type_of(node.input(0)).shape;
  const std::vector<std::int64_t> axes = node.integers("axes");
  std::vector<bool> removed(shape.size(), false);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    removed[axis] = axes.empty() && shape[axis] == 1;
  }
  for (const std::int64_t axis : axes) {
    const auto at = static_cast<std::size_t>(node.axis(axis, shape.size()));
    if (shape[at] != 1) {
      node.fail("it removes axis " + std::to_string(at) + " of " + to_string(shape) +
                ", whose extent is not 1; is the size given by --uffInput wrong?");
    }
    removed[at] = true;
  }
  Shape result;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (!removed[axis]) result.push_back(shape[axis]);
  }
  return reshaped(node, node.input(0), result);
}

Value expand_dims(NodeImporter& node) {
  node.require_inputs(1);
  const Shape shape = node.type_of(node.input(0)).shape;
  return reshaped(node, node.input(0), with_unit_axis(node, shape, node.integer("axis")));
}

Value flatten(NodeImporter& node) {
  if (node.input_count() == 0) node.require_inputs(1);
  const Shape shape = node.type_of(node.input(0)).shape;
  if (shape.empty()) node.fail("a scalar cannot be flattened");
  const Shape image(shape.begin() + 1, shape.end());
  return reshaped(node, node.input(0), {shape.front(), element_count(image)});
}

Value transpose(NodeImporter& node) {
  node.require_inputs(1);
  Axes permutation;
  const std::size_t rank = node.type_of(node.input(0)).shape.size();
  for (const std::int64_t axis : node.integers("permutation")) {
    permutation.push_back(node.axis(axis, rank));
  }
  return node.emit(Op::kTranspose, {node.input(0)}, TransposeAttributes{permutation});
}

Value concat(NodeImporter& node) {
  if (node.input_count() == 0) node.require_inputs(1);
  const std::size_t rank = node.type_of(node.input(0)).shape.size();
  std::vector<Value> parts;
  for (std::size_t i = 0; i < node.input_count(); ++i) parts.push_back(node.input(i));
  return node.emit(Op::kConcat, parts, AxisAttributes{node.axis(node.integer("axis"), rank)});
}

Value stack(NodeImporter& node) {
  if (node.input_count() == 0) node.require_inputs(1);
  const std::int64_t axis = node.integer("axis", 0);
  std::vector<Value> parts;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Shape shape = with_unit_axis(node, node.type_of(node.input(i)).shape, axis);
    parts.push_back(reshaped(node, node.input(i), shape, "/part_" + std::to_string(i)));
  }
  const std::size_t rank = node.type_of(parts[0]).shape.size();
  return node.emit(Op::kConcat, parts, AxisAttributes{node.axis(axis, rank)});
}

Value shape(NodeImporter& node) {
  node.require_inputs(1);
  const Shape shape = node.type_of(node.input(0)).shape;
  const Shape length{static_cast<std::int64_t>(shape.size())};
  Value result = node.make_constant(Tensor::from_ints(ElementType::kInt32, length, shape));
  if (has_batch(shape)) {
    std::vector<std::int64_t> mask(shape.size(), 0);
    mask[0] = 1;
    result.batch_mask = Tensor::from_ints(ElementType::kInt8, length, mask);
  }
  return result;
}

Value pad(NodeImporter& node) {
  node.require_inputs(2);
  const Tensor& paddings = node.constant(1, "the padding");
  const std::size_t rank = node.type_of(node.input(0)).shape.size();
  if (is_floating(paddings.type()) ||
      paddings.shape() != Shape{static_cast<std::int64_t>(rank), 2}) {
    node.fail("its padding is no list of integer pairs, one an axis");
  }
  const std::vector<std::int64_t> values = paddings.to_ints();
  PadAttributes attributes;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    attributes.pads_begin.push_back(values[2 * axis]);
    attributes.pads_end.push_back(values[2 * axis + 1]);
  }
  return node.emit(Op::kPad, {node.input(0)}, attributes);
}

Value gather(NodeImporter& node) { return make_gather(node, 0); }
Value gather_v2(NodeImporter& node) { return make_gather(node, node.integer("axis", 0)); }

}  // namespace chexnet_trt::uff::handlers
