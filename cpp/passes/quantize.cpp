#include "passes/quantize.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "common/error.hpp"
#include "graph/rewriter.hpp"
#include "passes/channels.hpp"
#include "passes/passes.hpp"
#include "passes/quantization_policy.hpp"

// Before:      y = conv2d(x, w)
// After:       y = conv2d(dequantize(quantize(x, s)), dequantize(int8 w', t))
//              with s = amax(x) / 127 (uint8: / 255), t = max |w| of a channel / 127, w' = w / t
// Conditions:  those of quantization_policy.cpp. Every other reader of x reads its dequantised
//              value too, so that x is stored once; the network's outputs and layers kept in
//              float32 read x itself.

namespace chexnet_trt {
namespace {

using passes::LinearOp;
using passes::QuantizationPlan;

constexpr double kInt8Max = 127;
constexpr double kUInt8Max = 255;

/// amax of each point; the largest of its group.
std::vector<double> ranges_of(const Graph& graph, const std::vector<QuantizationPoint>& points,
                              const DynamicRanges& ranges) {
  std::vector<double> group_amax;
  std::vector<std::string> missing;
  for (const QuantizationPoint& point : points) {
    const std::string& name = graph.node(point.value).name;
    const auto group = static_cast<std::size_t>(point.group);
    if (group_amax.size() <= group) group_amax.resize(group + 1, 0);
    const auto found = ranges.find(name);
    if (found == ranges.end()) {
      missing.push_back("'" + name + "'");
    } else if (!std::isfinite(found->second) || found->second <= 0) {
      throw InputError("the dynamic range of '" + name + "' is not a positive number");
    } else {
      group_amax[group] = std::max(group_amax[group], found->second);
    }
  }
  if (!missing.empty()) {
    std::string names = missing[0];
    for (std::size_t i = 1; i < std::min<std::size_t>(missing.size(), 3); ++i) {
      names += ", " + missing[i];
    }
    throw InputError("no dynamic range for " + std::to_string(missing.size()) + " of " +
                     std::to_string(points.size()) + " values (" + names +
                     (missing.size() > 3 ? ", ..." : "") + "); calibrate this network");
  }
  std::vector<double> result;
  result.reserve(points.size());
  for (const QuantizationPoint& point : points) {
    result.push_back(group_amax[static_cast<std::size_t>(point.group)]);
  }
  return result;
}

/// The float32 nearest to `amax` / `steps`; 1 where that has no precise reciprocal.
float scale_of(double amax, double steps) {
  const auto scale = static_cast<float>(amax / steps);
  return scale < std::numeric_limits<float>::min() ? 1.0F : scale;
}

struct Int8Weights {
  Tensor values;
  Tensor scales;
};

/// Symmetric, -127 ... 127, one scale for each index of `axis`.
Int8Weights quantize_weights(const Tensor& weights, std::size_t axis) {
  const Shape& shape = weights.shape();
  const auto channels = static_cast<std::size_t>(shape[axis]);
  const Shape inner_shape(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end());
  const auto inner = static_cast<std::size_t>(element_count(inner_shape));
  const auto channel_of = [&](std::size_t index) { return index / inner % channels; };
  std::vector<double> values = weights.to_doubles();
  std::vector<double> amax(channels, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) throw InputError("the weights are not finite");
    double& largest = amax[channel_of(i)];
    largest = std::max(largest, std::abs(values[i]));
  }
  std::vector<float> scales(channels);
  std::transform(amax.begin(), amax.end(), scales.begin(),
                 [](double largest) { return scale_of(largest, kInt8Max); });
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double scaled = std::nearbyint(values[i] / static_cast<double>(scales[channel_of(i)]));
    values[i] = std::clamp(scaled, -kInt8Max, kInt8Max);
  }
  return {tensor_from_doubles(ElementType::kInt8, shape, values),
          Tensor::from_floats({shape[axis]}, scales)};
}

class Quantizer {
 public:
  Quantizer(const Graph& graph, const QuantizationPlan& plan, const std::vector<double>& amax)
      : graph_(graph), plan_(plan), rewriter_(graph) {
    for (std::size_t i = 0; i < plan.points.size(); ++i) {
      amax_.emplace(plan.points[i].value, amax[i]);
      is_unsigned_.emplace(plan.points[i].value, plan.points[i].is_unsigned);
    }
  }

  Graph run() {
    for (std::size_t index = 0; index < graph_.nodes().size(); ++index) {
      const auto id = static_cast<NodeId>(index);
      copy(id);
      if (amax_.count(id) != 0) add_point(id);
    }
    int dead = 0;
    return passes::remove_dead_nodes(rewriter_.finish(), dead);
  }

 private:
  void copy(NodeId id) {
    const Node& node = graph_.node(id);
    const auto index = static_cast<std::size_t>(id);
    std::vector<NodeId> inputs = rewriter_.mapped(node.inputs);
    for (std::size_t operand = 0; operand < inputs.size(); ++operand) {
      const auto dequantized = dequantized_.find(node.inputs[operand]);
      if (dequantized == dequantized_.end() || plan_.reads_float[index]) continue;
      inputs[operand] = dequantized->second;
    }
    if (plan_.has_int8_weights[index]) inputs[1] = int8_weights(*passes::linear_op(graph_, id));
    rewriter_.replace(id, rewriter_.result().add(node.op, node.name, inputs, node.attributes));
  }

  void add_point(NodeId id) {
    const bool is_unsigned = is_unsigned_.at(id);
    const std::string& name = graph_.node(id).name;
    const float scale = scale_of(amax_.at(id), is_unsigned ? kUInt8Max : kInt8Max);
    const NodeId scale_node = add_constant(name + "/scale", Tensor::from_floats({}, {scale}));
    Graph& result = rewriter_.result();
    const QuantizeAttributes attributes{is_unsigned ? ElementType::kUInt8 : ElementType::kInt8};
    const NodeId quantized = result.add(Op::kQuantize, rewriter_.unique_name(name + "/quantize"),
                                        {rewriter_.mapped(id), scale_node}, attributes);
    dequantized_[id] = result.add(Op::kDequantize, rewriter_.unique_name(name + "/dequantize"),
                                  {quantized, scale_node}, AxisAttributes{});
  }

  /// Weights that several layers share are converted once.
  NodeId int8_weights(const LinearOp& linear) {
    const NodeId id = graph_.node(linear.id).inputs[1];
    const auto key = std::make_pair(id, linear.weights_axis);
    const auto known = weights_.find(key);
    if (known != weights_.end()) return known->second;
    const std::string& name = graph_.node(id).name;
    const NodeId dequantized =
        rewriter_.result().add(Op::kDequantize, rewriter_.unique_name(name + "/dequantize"),
                               add_int8_constants(linear, name, *graph_.constant(id)),
                               AxisAttributes{static_cast<std::int64_t>(linear.weights_axis)});
    weights_.emplace(key, dequantized);
    return dequantized;
  }

  std::vector<NodeId> add_int8_constants(const LinearOp& linear, const std::string& name,
                                         const Tensor& weights) {
    try {
      Int8Weights int8 = quantize_weights(weights, linear.weights_axis);
      const NodeId values = add_constant(name + "/int8", std::move(int8.values));
      return {values, add_constant(name + "/scale", std::move(int8.scales))};
    } catch (const InputError& error) {
      throw InputError("layer '" + graph_.node(linear.id).name + "': " + error.what());
    }
  }

  NodeId add_constant(const std::string& name, Tensor value) {
    return rewriter_.result().add_constant(rewriter_.unique_name(name), std::move(value));
  }

  const Graph& graph_;
  const QuantizationPlan& plan_;
  GraphRewriter rewriter_;
  std::unordered_map<NodeId, double> amax_;
  std::unordered_map<NodeId, bool> is_unsigned_;
  std::unordered_map<NodeId, NodeId> dequantized_;
  std::map<std::pair<NodeId, std::size_t>, NodeId> weights_;
};

}  // namespace

std::vector<QuantizationPoint> quantization_points(const Graph& optimized,
                                                   const std::set<std::string>& high_precision,
                                                   QuantizedTypes types) {
  return passes::plan_quantization(optimized, high_precision, types).points;
}

Graph quantize(const Graph& optimized, const DynamicRanges& ranges,
               const std::set<std::string>& high_precision, QuantizedTypes types) {
  const QuantizationPlan plan = passes::plan_quantization(optimized, high_precision, types);
  Graph result = Quantizer(optimized, plan, ranges_of(optimized, plan.points, ranges)).run();
  result.verify();
  return result;
}

}  // namespace chexnet_trt
