#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/error.hpp"
#include "graph/graph.hpp"
#include "uff/import_network.hpp"
#include "uff/model.hpp"

namespace chexnet_trt::uff {

/// What a UFF node stands for: a node of the graph or, as long as nothing but constants went into
/// it, a constant.
struct Value {
  std::string name;
  NodeId node = -1;
  std::optional<Tensor> constant;
  /// int8, of the constant's shape: 1 where the element is the batch size, which a constant cannot
  /// hold. Comes from Shape and ends in Reshape.
  std::optional<Tensor> batch_mask;

  bool is_known() const { return node >= 0 || constant.has_value(); }
};

/// Raised by a handler for a node that is valid but cannot be imported; the importer collects them.
class UnsupportedNode : public InputError {
 public:
  using InputError::InputError;
};

/// The graph under construction.
struct ImportState {
  chexnet_trt::Graph graph;
  /// Of every node of the file that is done.
  std::vector<Value> values;
  /// Leading extents of the file's Input shapes that stand for the batch.
  std::set<std::int64_t> fixed_batches;
  std::unordered_map<std::string, NodeId> materialised;
  /// What constants that are not views of the file may still take.
  std::uint64_t constant_bytes_left = 0;
};

/// One node on its way into the graph: what a handler sees.
class NodeImporter {
 public:
  NodeImporter(const Network& network, std::size_t index, ImportState& state);

  const Node& node() const { return node_; }
  const MetaGraph& meta() const { return network_.meta(); }
  const std::set<std::int64_t>& fixed_batches() const { return state_.fixed_batches; }

  /// Raises InputError unless the node has `count` inputs.
  void require_inputs(std::size_t count) const;
  std::size_t input_count() const { return producers_.size(); }
  const Value& input(std::size_t position) const;
  ValueType type_of(const Value& value) const;
  /// The input, which must be a constant without the batch size in it. `what` names it in the
  /// error.
  const Tensor& constant(std::size_t position, const char* what) const;

  // Fields. Without a default the field is required. Raise InputError on a wrong type, and on
  // integers beyond 31 bits.
  const Data* field(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  std::int64_t integer(std::string_view name, std::int64_t absent) const;
  double real(std::string_view name) const;
  bool flag(std::string_view name, bool absent) const;
  /// Without the b'...' around the attributes of custom ops.
  std::string text(std::string_view name) const;
  std::string text(std::string_view name, const std::string& absent) const;
  /// Empty when the field is absent.
  std::vector<std::int64_t> integers(std::string_view name) const;
  DataType data_type(std::string_view name) const;

  /// `axis` counted from the end if negative; checked against `rank`.
  std::int64_t axis(std::int64_t axis, std::size_t rank) const;

  /// Appends a node called after this one and `suffix`, or computes it when all operands are
  /// constants and the op has an evaluator.
  Value emit(Op op, const std::vector<Value>& operands, Attributes attributes = {},
             const std::string& suffix = "");
  Value make_constant(Tensor value, const std::string& suffix = "") const;
  /// The graph's node of `value`; constants are added to the graph on their first use.
  NodeId materialise(const Value& value);

  /// Call before making a constant that is no view of the file. Raises InputError when such
  /// constants get out of proportion: a small hostile file could ask for more than any machine
  /// holds.
  void spend(const ValueType& type) const;

  [[noreturn]] void fail(const std::string& message) const;
  [[noreturn]] void unsupported(const std::string& message) const;

 private:
  const Data& required(std::string_view name) const;
  std::int64_t small(std::string_view name, std::int64_t value) const;
  Value fold(Op op, const std::vector<Value>& operands, const Attributes& attributes,
             const std::string& name) const;

  const Network& network_;
  const Node& node_;
  ImportState& state_;
  std::vector<std::size_t> producers_;
};

}  // namespace chexnet_trt::uff
