#include "passes/quantization_policy.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "common/error.hpp"
#include "passes/channels.hpp"
#include "passes/never_negative.hpp"

// A value is quantised when an op that runs in 8 bits reads it:
//
//   op                                        operands read in 8 bits
//   conv2d, matmul with constant weights      the first; the weights are int8, one scale a channel
//   add of two images, the residual trunk     both, but for a layer (maybe with a bias) that only
//                                             the add reads: the add is computed into that layer
//   max_pool, average_pool, mean of an image  the first
//   concat of images                          all
//
// Conditions:  float32. The ops without weights ask only where an int8 layer lies above them, so a
//              network whose layers all stay in float32 is not touched.
// Place:       max_pool, concat, pad, reshape, slice, transpose and identity move elements without
//              changing them, so the value is quantised in front of them, where it is computed, and
//              nothing is rounded twice. Bias, scale-shift and activation behind a layer are
//              computed before rounding: only the end of such a chain is read by an op above.
// Scale:       the operands of a concat share one. A backend that finds different scales in front
//              of a concat requantises: slower, and not what was calibrated.
// Sign:        uint8 exactly when no value that shares the scale can be negative, and the backend has
//              uint8; else int8.

namespace chexnet_trt::passes {
namespace {

bool is_image(const Node& node) { return node.type.shape.size() == 4; }

bool is_floating_variable(const Graph& graph, NodeId id) {
  return graph.constant(id) == nullptr && graph.node(id).type.element == ElementType::kFloat32;
}

bool moves_elements(Op op) {
  return op == Op::kMaxPool || op == Op::kConcat || op == Op::kPad || op == Op::kReshape ||
         op == Op::kSlice || op == Op::kTranspose || op == Op::kIdentity;
}

bool is_residual_add(const Graph& graph, const Node& node) {
  if (node.op != Op::kBinary || !is_image(node)) return false;
  if (std::get<BinaryAttributes>(node.attributes).kind != BinaryKind::kAdd) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](NodeId input) {
    return is_floating_variable(graph, input) && graph.node(input).type == node.type;
  });
}

/// Whether `node`, no layer with weights, runs in 8 bits when its operands come so.
bool follows_in_int8(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::kMaxPool:
    case Op::kAveragePool: return true;
    case Op::kConcat: return is_image(node);
    case Op::kReduce:
      return std::get<ReduceAttributes>(node.attributes).kind == ReduceKind::kMean &&
             is_image(graph.node(node.inputs[0]));
    default: return is_residual_add(graph, node);
  }
}

bool is_weight_layer(const Graph& graph, NodeId id) {
  const Op op = graph.node(id).op;
  return (op == Op::kConv2D || op == Op::kMatMul) && linear_op(graph, id).has_value() &&
         is_floating_variable(graph, graph.node(id).inputs[0]);
}

class Planner {
 public:
  Planner(const Graph& graph, const std::set<std::string>& high_precision, QuantizedTypes types)
      : graph_(graph),
        types_(types),
        count_(graph.nodes().size()),
        uses_(graph.use_counts()),
        parent_(count_) {
    std::iota(parent_.begin(), parent_.end(), NodeId{0});
    kept_.resize(count_, false);
    for (const std::string& name : high_precision) {
      const NodeId id = graph.find(name);
      if (id < 0) throw InputError("no layer '" + name + "' to keep in high precision");
      kept_[static_cast<std::size_t>(id)] = true;
    }
    plan_.has_int8_weights.resize(count_, false);
    plan_.reads_float.resize(count_, false);
  }

  QuantizationPlan run() {
    mark_readers();
    mark_wanted();
    collect_points();
    return std::move(plan_);
  }

 private:
  void mark_readers() {
    asks_.resize(count_, false);
    std::vector<bool> fed_by_int8(count_, false);
    for (std::size_t index = 0; index < count_; ++index) {
      const auto id = static_cast<NodeId>(index);
      const Node& node = graph_.node(id);
      if (is_weight_layer(graph_, id)) {
        asks_[index] = plan_.has_int8_weights[index] = fed_by_int8[index] = !kept_[index];
        plan_.reads_float[index] = kept_[index];
        continue;
      }
      for (const NodeId input : node.inputs) {
        if (fed_by_int8[static_cast<std::size_t>(input)]) fed_by_int8[index] = true;
      }
      asks_[index] = fed_by_int8[index] && !kept_[index] && follows_in_int8(graph_, node);
    }
  }

  /// Position of the operand of a residual add that is a layer of its own, which a backend computes
  /// the add into; else the number of operands.
  std::size_t fused_operand(const Node& node) const {
    std::size_t operand = 0;
    while (operand < node.inputs.size() && !is_own_layer(node.inputs[operand])) ++operand;
    return operand;
  }

  /// A layer, maybe with a bias, that nothing else reads. One that is kept in float32 too: what has
  /// no range when all layers are in 8 bits must not need one when some are not.
  bool is_own_layer(NodeId id) const {
    if (uses_[static_cast<std::size_t>(id)] != 1) return false;
    if (is_weight_layer(graph_, id)) return true;
    const auto bias = constant_operand(graph_, id, BinaryKind::kAdd);
    return bias && uses_[static_cast<std::size_t>(bias->value)] == 1 &&
           is_weight_layer(graph_, bias->value);
  }

  /// The operands that `node` reads in 8 bits.
  std::vector<NodeId> operands_in_int8(NodeId id) const {
    const Node& node = graph_.node(id);
    std::vector<NodeId> operands = node.inputs;
    if (plan_.has_int8_weights[static_cast<std::size_t>(id)]) operands.resize(1);
    if (is_residual_add(graph_, node)) {
      const std::size_t fused = fused_operand(node);
      if (fused < 2) operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(fused));
    }
    return operands;
  }

  /// Backwards, from the readers through rearrangements to the computed values.
  void mark_wanted() {
    wanted_.resize(count_, false);
    for (std::size_t index = count_; index-- > 0;) {
      const auto id = static_cast<NodeId>(index);
      const Node& node = graph_.node(id);
      const bool passes_on = wanted_[index] && moves_elements(node.op);
      if (!asks_[index] && !passes_on) continue;
      for (const NodeId input : operands_in_int8(id)) {
        if (!is_floating_variable(graph_, input)) continue;
        wanted_[static_cast<std::size_t>(input)] = true;
        if (moves_elements(node.op)) parent_[root(input)] = static_cast<NodeId>(root(id));
      }
    }
  }

  std::size_t root(NodeId id) {
    auto index = static_cast<std::size_t>(id);
    while (parent_[index] != static_cast<NodeId>(index)) {
      parent_[index] = parent_[static_cast<std::size_t>(parent_[index])];  // halves the path
      index = static_cast<std::size_t>(parent_[index]);
    }
    return index;
  }

  void collect_points() {
    const std::vector<bool> never_negative = never_negative_values(graph_);
    std::vector<bool> root_may_be_negative(count_, false);
    std::unordered_map<std::size_t, int> groups;
    for (std::size_t index = 0; index < count_; ++index) {
      const auto id = static_cast<NodeId>(index);
      if (!wanted_[index] || moves_elements(graph_.node(id).op)) continue;
      const int group = groups.emplace(root(id), static_cast<int>(groups.size())).first->second;
      plan_.points.push_back({id, true, group});
      if (!never_negative[index]) root_may_be_negative[root(id)] = true;
    }
    for (QuantizationPoint& point : plan_.points) {
      point.is_unsigned =
          types_ == QuantizedTypes::kInt8AndUInt8 && !root_may_be_negative[root(point.value)];
    }
  }

  const Graph& graph_;
  QuantizedTypes types_;
  std::size_t count_;
  std::vector<bool> kept_;
  std::vector<bool> asks_;  ///< reads its operands in 8 bits
  std::vector<int> uses_;
  std::vector<bool> wanted_;
  std::vector<NodeId> parent_;  ///< union-find forest: values that share a scale
  QuantizationPlan plan_;
};

}  // namespace

QuantizationPlan plan_quantization(const Graph& optimized,
                                   const std::set<std::string>& high_precision,
                                   QuantizedTypes types) {
  return Planner(optimized, high_precision, types).run();
}

}  // namespace chexnet_trt::passes
