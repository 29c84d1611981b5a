#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "backends/backend.hpp"
#include "backends/cuda/graph_view.hpp"
#include "backends/cuda/program.hpp"
#include "graph/graph.hpp"

namespace chexnet_trt::cuda {

bool is_8_bit(ElementType element);

/// A program that is being made from a graph: its values, its steps, and the nodes that they
/// compute.
class ProgramBuilder {
 public:
  ProgramBuilder(const Graph& graph, std::int64_t batch, Precision precision);

  const Graph& graph() const { return graph_; }
  const GraphView& view() const { return view_; }
  const Node& node(NodeId id) const { return graph_.node(id); }

  /// A constant, maybe in 8 bits.
  bool is_constant(NodeId id) const;
  /// An input, or a node that reads something else than constants.
  bool is_variable(NodeId id) const;
  bool is_claimed(NodeId id) const { return claimed_[static_cast<std::size_t>(id)]; }
  /// Says that a step computes `id`.
  void claim(NodeId id) { claimed_[static_cast<std::size_t>(id)] = true; }
  /// The only reader of `id` when that is a node that no step has taken; else -1.
  NodeId sole_reader(NodeId id) const;

  Value& value(int index) { return program_.values.at(static_cast<std::size_t>(index)); }
  /// The value that a source (GraphView) stores.
  int value_of(NodeId source);
  /// The value of a node's input.
  int operand(NodeId id, std::size_t index);
  /// Sets the type of the value that `quantize` stores. Returns it.
  int quantized_value(NodeId quantize);
  /// `input`, an 8-bit value, stored as floats.
  int dequantized(int input);
  /// Adds `copy` and the step that copies `input` to it, or that computes it. Returns it.
  int add_copy(int input, Value copy) { return add_copy(std::move(copy), MapStep{input}); }
  int add_copy(Value copy, StepKind kind);

  void add_step(Step step);
  /// The step that writes `value`; nullptr: none yet.
  Step* writer_of(int value);

  /// The program, its steps in order.
  Program take();

 private:
  const Graph& graph_;
  GraphView view_;
  ElementType float_element_;
  std::vector<bool> claimed_;
  std::map<NodeId, int> values_;
  std::map<int, int> dequantized_;
  std::map<int, std::size_t> writers_;
  Program program_;
};

}  // namespace chexnet_trt::cuda
