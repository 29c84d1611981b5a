#include "uff/import_node.hpp"

#include <algorithm>

#include "graph/op_table.hpp"

namespace chexnet_trt::uff {
namespace {

/// Ops that only move elements: the mask of the batch size goes through the op itself.
bool moves_elements(Op op) {
  return op == Op::kIdentity || op == Op::kReshape || op == Op::kConcat || op == Op::kSlice ||
         op == Op::kGather;
}

bool any_set(const Tensor& mask) {
  const ByteView bytes = mask.bytes();
  return std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
}

Tensor zero_mask(const Shape& shape) {
  const std::vector<std::byte> zeros(static_cast<std::size_t>(element_count(shape)));
  return Tensor::copy(ElementType::kInt8, shape, {zeros.data(), zeros.size()});
}

std::string stripped(std::string_view text) {
  const bool wrapped = text.size() >= 3 && text[0] == 'b' && (text[1] == '\'' || text[1] == '"') &&
                       text.back() == text[1];
  return std::string(wrapped ? text.substr(2, text.size() - 3) : text);
}

}  // namespace

NodeImporter::NodeImporter(const Network& network, std::size_t index, ImportState& state)
    : network_(network),
      node_(network.node(index)),
      state_(state),
      producers_(network.producers(index)) {}

void NodeImporter::require_inputs(std::size_t count) const {
  if (producers_.size() != count) {
    fail("it has " + std::to_string(producers_.size()) + " inputs, the operation takes " +
         std::to_string(count));
  }
}

const Value& NodeImporter::input(std::size_t position) const {
  return state_.values[producers_.at(position)];
}

ValueType NodeImporter::type_of(const Value& value) const {
  if (value.constant) return {value.constant->type(), value.constant->shape()};
  return state_.graph.node(value.node).type;
}

const Tensor& NodeImporter::constant(std::size_t position, const char* what) const {
  const Value& value = input(position);
  if (!value.constant) {
    unsupported(std::string(what) +
                " is computed at run time; freeze the model so that it is a "
                "constant");
  }
  if (value.batch_mask) fail(std::string(what) + " depends on the batch size");
  return *value.constant;
}

const Data* NodeImporter::field(std::string_view name) const {
  const Data* data = find(node_.fields, name);
  return data == nullptr ? nullptr : &resolve(meta(), *data);
}

const Data& NodeImporter::required(std::string_view name) const {
  const Data* data = field(name);
  if (data == nullptr) fail("the field '" + std::string(name) + "' is missing");
  return *data;
}

std::int64_t NodeImporter::small(std::string_view name, std::int64_t value) const {
  constexpr std::int64_t kLimit = 0x7FFFFFFF;
  if (value < -kLimit || value > kLimit) {
    fail("the field '" + std::string(name) + "' holds " + std::to_string(value) +
         ", which is out of range");
  }
  return value;
}

std::int64_t NodeImporter::integer(std::string_view name) const {
  const auto* value = std::get_if<std::int64_t>(&required(name));
  if (value == nullptr) fail("the field '" + std::string(name) + "' is not an integer");
  return small(name, *value);
}

std::int64_t NodeImporter::integer(std::string_view name, std::int64_t absent) const {
  return field(name) == nullptr ? absent : integer(name);
}

double NodeImporter::real(std::string_view name) const {
  const Data& data = required(name);
  if (const auto* whole = std::get_if<std::int64_t>(&data)) return static_cast<double>(*whole);
  const auto* value = std::get_if<double>(&data);
  if (value == nullptr) fail("the field '" + std::string(name) + "' is not a number");
  return *value;
}

bool NodeImporter::flag(std::string_view name, bool absent) const {
  const Data* data = field(name);
  if (data == nullptr) return absent;
  if (const auto* number = std::get_if<std::int64_t>(data)) return *number != 0;
  const auto* value = std::get_if<bool>(data);
  if (value == nullptr) fail("the field '" + std::string(name) + "' is not a boolean");
  return *value;
}

std::string NodeImporter::text(std::string_view name) const {
  const auto* value = std::get_if<std::string_view>(&required(name));
  if (value == nullptr) fail("the field '" + std::string(name) + "' is not a text");
  return stripped(*value);
}

std::string NodeImporter::text(std::string_view name, const std::string& absent) const {
  return field(name) == nullptr ? absent : text(name);
}

std::vector<std::int64_t> NodeImporter::integers(std::string_view name) const {
  const Data* data = field(name);
  if (data == nullptr) return {};
  const auto* values = std::get_if<std::vector<std::int64_t>>(data);
  if (values == nullptr) fail("the field '" + std::string(name) + "' is not a list of integers");
  for (const std::int64_t value : *values) small(name, value);
  return *values;
}

DataType NodeImporter::data_type(std::string_view name) const {
  const auto* value = std::get_if<DataType>(&required(name));
  if (value == nullptr) fail("the field '" + std::string(name) + "' is not a data type");
  return *value;
}

std::int64_t NodeImporter::axis(std::int64_t axis, std::size_t rank) const {
  const auto extent = static_cast<std::int64_t>(rank);
  if (axis < -extent || axis >= extent) {
    fail("axis " + std::to_string(axis) + " is outside a value of rank " + std::to_string(rank));
  }
  return axis < 0 ? axis + extent : axis;
}

void NodeImporter::spend(const ValueType& type) const {
  const auto count = static_cast<std::uint64_t>(element_count(type.shape));
  const std::uint64_t left = state_.constant_bytes_left;
  if (count > left / size_of(type.element)) {
    fail("the constants computed up to here outgrow the weights of the file many times");
  }
  state_.constant_bytes_left = left - count * size_of(type.element);
}

Value NodeImporter::fold(Op op, const std::vector<Value>& operands, const Attributes& attributes,
                         const std::string& name) const {
  std::vector<Tensor> tensors;
  std::vector<Tensor> masks;
  std::vector<ValueType> types;
  bool has_batch = false;
  for (const Value& operand : operands) {
    tensors.push_back(*operand.constant);
    types.push_back({tensors.back().type(), tensors.back().shape()});
    masks.push_back(operand.batch_mask ? *operand.batch_mask : Tensor());
    has_batch = has_batch || operand.batch_mask;
  }
  const bool indexes_batch = op == Op::kGather && operands[1].batch_mask.has_value();
  if (has_batch && (indexes_batch || (!moves_elements(op) && op != Op::kCast))) {
    fail(
        "it computes with the batch size, which stays open; export the model with a Reshape to -1 "
        "in its place");
  }
  if (op != Op::kReshape) spend(infer_type(op, types, attributes));
  Value result{name, -1, evaluate(op, tensors, attributes), std::nullopt};
  if (!has_batch) return result;
  if (op == Op::kCast) {
    result.batch_mask = masks[0];
    return result;
  }
  for (std::size_t index = 0; index < masks.size(); ++index) {
    if (!operands[index].batch_mask) masks[index] = zero_mask(tensors[index].shape());
  }
  if (op == Op::kGather) masks[1] = tensors[1];
  std::optional<Tensor> mask = evaluate(op, masks, attributes);
  if (any_set(*mask)) result.batch_mask = std::move(mask);
  return result;
}

Value NodeImporter::emit(Op op, const std::vector<Value>& operands, Attributes attributes,
                         const std::string& suffix) {
  const std::string name = std::string(node_.id) + suffix;
  const bool all_constant = std::all_of(operands.begin(), operands.end(), [](const Value& operand) {
    return operand.constant.has_value();
  });
  try {
    if (all_constant && info_of(op).evaluate != nullptr) {
      return fold(op, operands, attributes, name);
    }
    std::vector<NodeId> inputs;
    inputs.reserve(operands.size());
    for (const Value& operand : operands) inputs.push_back(materialise(operand));
    const NodeId id = state_.graph.add(op, state_.graph.unique_name(name), std::move(inputs),
                                       std::move(attributes));
    return {name, id, std::nullopt, std::nullopt};
  } catch (const InputError& error) {
    const std::string message = error.what();
    if (message.compare(0, 6, "node '") == 0) throw;
    fail(message);
  }
}

Value NodeImporter::make_constant(Tensor value, const std::string& suffix) const {
  return {std::string(node_.id) + suffix, -1, std::move(value), std::nullopt};
}

NodeId NodeImporter::materialise(const Value& value) {
  if (!value.constant) return value.node;
  if (value.batch_mask) {
    fail(
        "it computes with the batch size, which stays open; export the model with a Reshape to -1 "
        "in its place");
  }
  chexnet_trt::Graph& graph = state_.graph;
  const auto found = state_.materialised.find(value.name);
  if (found != state_.materialised.end()) {
    const Tensor& existing = *graph.constant(found->second);
    if (existing.bytes().data == value.constant->bytes().data &&
        existing.shape() == value.constant->shape() && existing.type() == value.constant->type()) {
      return found->second;
    }
  }
  const NodeId id = graph.add_constant(graph.unique_name(value.name), *value.constant);
  state_.materialised[value.name] = id;
  return id;
}

void NodeImporter::fail(const std::string& message) const {
  throw InputError(described(node_) + message);
}

void NodeImporter::unsupported(const std::string& message) const {
  throw UnsupportedNode(described(node_) + message);
}

}  // namespace chexnet_trt::uff
