#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/element_type.hpp"
#include "common/shape.hpp"
#include "common/tensor.hpp"
#include "graph/attributes.hpp"
#include "graph/op.hpp"

namespace chexnet_trt {

/// Index of a node in its graph. Every node produces exactly one value, so a NodeId names both.
using NodeId = std::int32_t;

/// Element type and shape of a value; the leading extent may be `kBatch`.
struct ValueType {
  ElementType element = ElementType::kFloat32;
  Shape shape;

  bool operator==(const ValueType& other) const {
    return element == other.element && shape == other.shape;
  }
  bool operator!=(const ValueType& other) const { return !(*this == other); }
};

struct Node {
  Op op = Op::kInput;
  std::string name;
  std::vector<NodeId> inputs;
  Attributes attributes;
  ValueType type;
};

/// A named output of the network: `value` is published to callers as `name`.
struct GraphOutput {
  std::string name;
  NodeId value = 0;
};

/// An inference network in single static assignment form with TensorFlow's semantics: image tensors
/// are NHWC values unless a node's `layout` attribute says otherwise; how they lie in memory is the
/// backend's business. Nodes are stored in topological order: inputs come before their users.
class Graph {
 public:
  /// Appends a node whose inputs are already there and infers its type from the op table. Names are
  /// unique. Raises InputError naming the node when the op table refuses it.
  NodeId add(Op op, std::string name, std::vector<NodeId> inputs, Attributes attributes = {});

  /// `add` for the two ops without inputs.
  NodeId add_input(std::string name, ValueType type, TensorLayout layout = TensorLayout::kPlain);
  NodeId add_constant(std::string name, Tensor value);
  void add_output(std::string name, NodeId value);

  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_.at(static_cast<std::size_t>(id)); }
  /// The node called `name`, or -1.
  NodeId find(std::string_view name) const;
  const std::vector<GraphOutput>& outputs() const { return outputs_; }
  /// Ids of the `Op::kInput` nodes, in order.
  std::vector<NodeId> inputs() const;

  /// The constant that `id` is, or nullptr.
  const Tensor* constant(NodeId id) const;
  /// How many node inputs and graph outputs read each value.
  std::vector<int> use_counts() const;
  /// A name not yet taken: `base`, else `base_1`, `base_2`, ...
  std::string unique_name(const std::string& base) const;

  /// Rechecks everything that `add` established, and that outputs exist and have distinct names.
  /// Raises InputError naming the first offender. Passes run it after every rewrite.
  void verify() const;

  /// SHA-256 of the text form and all constant bytes.
  std::string hash() const;

 private:
  std::vector<Node> nodes_;
  std::vector<GraphOutput> outputs_;
  std::unordered_map<std::string, NodeId> by_name_;
};

}  // namespace chexnet_trt
