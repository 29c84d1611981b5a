#include "graph/graph.hpp"

#include <set>
#include <utility>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "graph/op_table.hpp"
#include "graph/text.hpp"

namespace chexnet_trt {
namespace {

std::string described(Op op, const std::string& name) {
  return "node '" + name + "' (" + std::string(name_of(op)) + "): ";
}

ValueType infer_named(const Graph& graph, Op op, const std::string& name,
                      const std::vector<NodeId>& inputs, const Attributes& attributes) {
  std::vector<ValueType> types;
  types.reserve(inputs.size());
  for (const NodeId input : inputs) types.push_back(graph.node(input).type);
  try {
    return infer_type(op, types, attributes);
  } catch (const InputError& error) {
    throw InputError(described(op, name) + error.what());
  }
}

}  // namespace

NodeId Graph::add(Op op, std::string name, std::vector<NodeId> inputs, Attributes attributes) {
  const auto id = static_cast<NodeId>(nodes_.size());
  for (const NodeId input : inputs) {
    if (input < 0 || input >= id)
      throw Error(described(op, name) + "reads a node that is not there");
  }
  if (by_name_.count(name) != 0) {
    throw InputError(described(op, name) + "the name is taken by another node");
  }
  ValueType type = infer_named(*this, op, name, inputs, attributes);
  by_name_.emplace(name, id);
  nodes_.push_back(
      {op, std::move(name), std::move(inputs), std::move(attributes), std::move(type)});
  return id;
}

NodeId Graph::add_input(std::string name, ValueType type, TensorLayout layout) {
  return add(Op::kInput, std::move(name), {},
             InputAttributes{type.element, std::move(type.shape), layout});
}

NodeId Graph::add_constant(std::string name, Tensor value) {
  return add(Op::kConstant, std::move(name), {}, ConstantAttributes{std::move(value)});
}

void Graph::add_output(std::string name, NodeId value) {
  outputs_.push_back({std::move(name), value});
}

NodeId Graph::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? -1 : found->second;
}

std::vector<NodeId> Graph::inputs() const {
  std::vector<NodeId> ids;
  for (std::size_t index = 0; index < nodes_.size(); ++index) {
    if (nodes_[index].op == Op::kInput) ids.push_back(static_cast<NodeId>(index));
  }
  return ids;
}

const Tensor* Graph::constant(NodeId id) const {
  const auto* attributes = std::get_if<ConstantAttributes>(&node(id).attributes);
  return attributes == nullptr ? nullptr : &attributes->value;
}

std::vector<int> Graph::use_counts() const {
  std::vector<int> counts(nodes_.size(), 0);
  for (const Node& node : nodes_) {
    for (const NodeId input : node.inputs) ++counts[static_cast<std::size_t>(input)];
  }
  for (const GraphOutput& output : outputs_) ++counts[static_cast<std::size_t>(output.value)];
  return counts;
}

std::string Graph::unique_name(const std::string& base) const {
  std::string name = base;
  for (int suffix = 1; by_name_.count(name) != 0; ++suffix) {
    name = base + "_" + std::to_string(suffix);
  }
  return name;
}

void Graph::verify() const {
  for (const Node& node : nodes_) {
    const ValueType inferred = infer_named(*this, node.op, node.name, node.inputs, node.attributes);
    if (inferred != node.type) {
      throw Error(described(node.op, node.name) + "recorded shape " + to_string(node.type.shape) +
                  ", the op table says " + to_string(inferred.shape));
    }
  }
  if (outputs_.empty()) throw InputError("the network has no output");
  std::set<std::string> names;
  for (const GraphOutput& output : outputs_) {
    if (output.value < 0 || static_cast<std::size_t>(output.value) >= nodes_.size()) {
      throw Error("output '" + output.name + "' reads a node that is not there");
    }
    if (!names.insert(output.name).second) {
      throw InputError("two outputs are called '" + output.name + "'");
    }
  }
}

std::string Graph::hash() const {
  Sha256 sha;
  sha.update(ByteView(to_text(*this)));
  for (const Node& node : nodes_) {
    if (const auto* constant = std::get_if<ConstantAttributes>(&node.attributes)) {
      sha.update(constant->value.bytes());
    }
  }
  return sha.hex_digest();
}

}  // namespace chexnet_trt
