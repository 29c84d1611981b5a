#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backends/buffers.hpp"
#include "passes/pipeline.hpp"
#include "passes/quantize.hpp"
#include "reference/interpreter.hpp"

// The quantised engine against the float64 interpreter of the same quantised graph, in steps of the
// quantiser whose value is compared: never more than one step off, and in less than 0.1 % of the
// values. Weights, inputs and thus ranges are random.

namespace chexnet_trt::testing {

/// Compiles a quantised graph on the backend under test.
using Compile = std::function<std::unique_ptr<Executable>(const Graph& graph, std::int64_t batch)>;

constexpr std::int64_t kQuantizedImages = 2;

/// amax of every point on `inputs`, a little too small for some values, so that both ends saturate.
inline DynamicRanges observe_points(const Graph& graph, const Arrays& inputs) {
  constexpr double kCoverage = 0.9;
  Graph probed = graph;
  const auto points = quantization_points(graph);
  for (const QuantizationPoint& point : points) {
    probed.add_output("point " + std::to_string(point.value), point.value);
  }
  const Arrays values = reference::interpret(probed, kQuantizedImages, inputs);
  DynamicRanges ranges;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::vector<double>& observed = values[graph.outputs().size() + i];
    double amax = 0;
    for (const double value : observed) amax = std::max(amax, std::abs(value));
    ranges[graph.node(points[i].value).name] = kCoverage * amax;
  }
  return ranges;
}

struct Comparison {
  std::size_t count = 0;
  std::size_t off = 0;  ///< in another step
  double largest = 0;   ///< in steps
};

inline void compare(const std::vector<double>& actual, const std::vector<double>& expected,
                    double step, Comparison& total) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double difference = std::abs(actual[i] - expected[i]) / step;
    total.largest = std::max(total.largest, difference);
    if (difference > 0.5) ++total.off;
  }
  total.count += actual.size();
}

inline double step_of(const Graph& quantized, const std::string& name) {
  return quantized.constant(quantized.find(name + "/scale"))->to_doubles()[0];
}

/// Every stored value of the engine against the interpreter, which goes on from the engine's own
/// earlier values: each rounding is judged alone.
inline Comparison compare_each(const Compile& compile, const Graph& quantized,
                               const std::vector<std::string>& names, const Arrays& inputs) {
  Graph probed = quantized;
  for (const std::string& name : names) {
    probed.add_output("stored " + name, quantized.find(name + "/dequantize"));
  }
  const auto executable = compile(probed, kQuantizedImages);
  const Arrays actual = run(*executable, probed, kQuantizedImages, inputs);
  std::map<NodeId, std::vector<double>> known;
  Graph rounded = quantized;
  for (std::size_t i = 0; i < names.size(); ++i) {
    known[quantized.find(names[i] + "/dequantize")] = actual[quantized.outputs().size() + i];
    rounded.add_output("rounded " + names[i], quantized.find(names[i] + "/quantize"));
  }
  Arrays expected = reference::interpret(rounded, kQuantizedImages, inputs, known);
  Comparison total;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t output = quantized.outputs().size() + i;
    const double step = step_of(quantized, names[i]);
    for (double& value : expected[output]) value *= step;
    compare(actual[output], expected[output], step, total);
  }
  return total;
}

/// The last stored value from the inputs on: nothing between is read, so everything is fused that
/// is fused in use.
inline Comparison compare_last(const Compile& compile, const Graph& quantized,
                               const std::string& name, const Arrays& inputs) {
  Graph probed = quantized;
  probed.add_output("stored", quantized.find(name + "/dequantize"));
  const auto executable = compile(probed, kQuantizedImages);
  Comparison total;
  compare(run(*executable, probed, kQuantizedImages, inputs).back(),
          reference::interpret(probed, kQuantizedImages, inputs).back(), step_of(quantized, name),
          total);
  return total;
}

inline void expect_exact(const Comparison& total, const std::string& what) {
  EXPECT_LE(total.largest, 1.001) << what;
  EXPECT_LT(static_cast<double>(total.off), 0.001 * static_cast<double>(total.count)) << what;
}

/// Of `network` once it is optimised and quantised.
inline void expect_exact(const Compile& compile, const Graph& network) {
  const Graph graph = optimize(network);
  const Arrays inputs = reference::random_inputs(graph, kQuantizedImages, 7);
  const Graph quantized = quantize(graph, observe_points(graph, inputs));
  std::vector<std::string> names;
  for (const QuantizationPoint& point : quantization_points(graph)) {
    names.push_back(graph.node(point.value).name);
  }
  ASSERT_FALSE(names.empty());
  expect_exact(compare_each(compile, quantized, names, inputs), "each stored value");
  expect_exact(compare_last(compile, quantized, names.back(), inputs), "the last stored value");
}

}  // namespace chexnet_trt::testing
