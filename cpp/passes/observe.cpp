#include "passes/observe.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "common/error.hpp"
#include "graph/rewriter.hpp"
#include "passes/channels.hpp"
#include "passes/never_negative.hpp"

// Before:      v, and the network's outputs
// After:       v, and for outputs only slice(v), or concat(min(v), max(v)) by channel, or max(v)
//              alone if v cannot be negative
// Conditions:  v is float32. Not in the pipeline: calibration asks for it. What calibration needs is
//              made small inside the network, because writing out every activation of a ResNet-50
//              costs as much time as the inference. The network's outputs go, because a backend may
//              run output by output: behind the last layer, an observation finds v gone from the
//              caches, and the memory of every v in use.

namespace chexnet_trt {
namespace {

/// The layout that an op claims for its image values.
std::optional<TensorLayout> layout_of(const Node& node) {
  return std::visit(
      [](const auto& attributes) -> std::optional<TensorLayout> {
        using Type = std::decay_t<decltype(attributes)>;
        if constexpr (std::is_same_v<Type, InputAttributes> ||
                      std::is_same_v<Type, ConvAttributes> ||
                      std::is_same_v<Type, ConvTransposeAttributes> ||
                      std::is_same_v<Type, PoolAttributes> ||
                      std::is_same_v<Type, BatchNormAttributes> ||
                      std::is_same_v<Type, LrnAttributes>) {
          if (attributes.layout != TensorLayout::kPlain) return attributes.layout;
        }
        return std::nullopt;
      },
      node.attributes);
}

bool keeps_axes(Op op) {
  return op == Op::kBinary || op == Op::kUnary || op == Op::kActivation || op == Op::kConcat ||
         op == Op::kPad || op == Op::kIdentity || op == Op::kCast;
}

/// The layout of every rank-4 value, where an op above or next to it tells; else kPlain, which is
/// the least: of operands that broadcast, the one that has a layout gives it.
std::vector<TensorLayout> layouts_of(const Graph& graph) {
  std::vector<TensorLayout> layouts(graph.nodes().size(), TensorLayout::kPlain);
  for (std::size_t id = 0; id < layouts.size(); ++id) {
    const Node& node = graph.nodes()[id];
    if (node.type.shape.size() != 4) continue;
    if (const auto layout = layout_of(node)) layouts[id] = *layout;
    if (!keeps_axes(node.op)) continue;
    for (const NodeId input : node.inputs) {
      layouts[id] = std::max(layouts[id], layouts[static_cast<std::size_t>(input)]);
    }
  }
  return layouts;
}

/// Doubles the step between positions until `limit` numbers an item are left, or one position.
std::int64_t step_of(const Shape& shape, std::size_t channel_axis, std::int64_t limit) {
  const std::size_t height = channel_axis == 1 ? 2 : 1;
  const auto count = [&](std::int64_t step) {
    return shape[channel_axis] * ((shape[height] + step - 1) / step) *
           ((shape[height + 1] + step - 1) / step);
  };
  std::int64_t step = 1;
  while (limit > 0 && count(step) > limit && step < std::max(shape[height], shape[height + 1])) {
    step *= 2;
  }
  return step;
}

class Observer {
 public:
  Observer(Graph& graph, const ObserveOptions& options)
      : graph_(graph),
        options_(options),
        layouts_(layouts_of(graph)),
        never_negative_(passes::never_negative_values(graph)) {}

  NodeId observe(NodeId value) {
    return options_.observation == Observation::kSample ? sample(value) : extremes(value);
  }

 private:
  NodeId sample(NodeId value) {
    const Shape shape = graph_.node(value).type.shape;
    const TensorLayout layout = layouts_.at(static_cast<std::size_t>(value));
    if (layout == TensorLayout::kPlain) return value;
    const std::size_t channel_axis = passes::channel_axis_of(layout);
    const std::int64_t step = step_of(shape, channel_axis, options_.limit);
    if (step == 1) return value;
    SliceAttributes slice{Axes(4, 0), shape, Axes(4, 1)};
    for (std::size_t axis = 1; axis < 4; ++axis) {
      if (axis != channel_axis) slice.strides[axis] = step;
    }
    return add(Op::kSlice, value, "/sample", {value}, slice);
  }

  NodeId extremes(NodeId value) {
    const Shape shape = graph_.node(value).type.shape;
    const TensorLayout layout = layouts_.at(static_cast<std::size_t>(value));
    const bool is_image = layout != TensorLayout::kPlain;
    const std::size_t kept = is_image ? passes::channel_axis_of(layout) : shape.size();
    ReduceAttributes reduce{ReduceKind::kMax, {}, true};
    const bool has_batch = !shape.empty() && shape.front() == kBatch;
    for (std::size_t axis = has_batch ? 1 : 0; axis < shape.size(); ++axis) {
      if (axis != kept) reduce.axes.push_back(static_cast<std::int64_t>(axis));
    }
    if (reduce.axes.empty()) return value;
    const NodeId largest = add(Op::kReduce, value, "/max", {value}, reduce);
    if (never_negative_.at(static_cast<std::size_t>(value))) return largest;
    reduce.kind = ReduceKind::kMin;
    const NodeId smallest = add(Op::kReduce, value, "/min", {value}, reduce);
    return add(Op::kConcat, value, "/extremes", {smallest, largest},
               AxisAttributes{reduce.axes.back()});
  }

  NodeId add(Op op, NodeId value, const char* suffix, std::vector<NodeId> inputs,
             Attributes attributes) {
    return graph_.add(op, graph_.unique_name(graph_.node(value).name + suffix), std::move(inputs),
                      std::move(attributes));
  }

  Graph& graph_;
  ObserveOptions options_;
  std::vector<TensorLayout> layouts_;
  std::vector<bool> never_negative_;
};

}  // namespace

Graph observe(const Graph& graph, const std::vector<NodeId>& values,
              const ObserveOptions& options) {
  GraphRewriter rewriter(graph);
  for (std::size_t id = 0; id < graph.nodes().size(); ++id) rewriter.copy(static_cast<NodeId>(id));
  Graph& result = rewriter.result();
  Observer observer(result, options);
  for (const NodeId value : values) {
    const Node& node = graph.node(value);
    if (node.type.element != ElementType::kFloat32) {
      throw InputError("'" + node.name + "' holds " + std::string(name_of(node.type.element)) +
                       "; only float32 values can be calibrated");
    }
    result.add_output(node.name + "/observed", observer.observe(value));
  }
  result.verify();
  return std::move(result);
}

}  // namespace chexnet_trt
