#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "backends/buffers.hpp"
#include "backends/cuda/on_device.hpp"
#include "passes/quantize.hpp"
#include "reference/interpreter.hpp"

// What the GPU computes, against the float64 interpreter.

namespace chexnet_trt::testing {

inline CompileOptions options_for(std::int64_t batch, Precision precision) {
  CompileOptions options;
  options.batch = batch;
  options.precision = precision;
  return options;
}

inline Arrays run(Execution& execution, const Graph& graph, std::int64_t batch,
                  const Arrays& inputs) {
  testing::Buffers buffers(graph, batch);
  buffers.fill(inputs);
  execution.enqueue(buffers.bindings(), nullptr);
  execution.wait();
  return buffers.outputs();
}

inline void expect_close(const Arrays& actual, const Arrays& expected, double tolerance,
                         const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t output = 0; output < actual.size(); ++output) {
    ASSERT_EQ(actual[output].size(), expected[output].size()) << what;
    double largest = 1;
    for (const double value : expected[output]) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < actual[output].size(); ++i) {
      ASSERT_NEAR(actual[output][i], expected[output][i], tolerance * largest)
          << what << ", output " << output << " element " << i;
    }
  }
}

struct Kind {
  Precision precision;
  double tolerance;  ///< of the largest value of an output
};

constexpr Kind kFloatKinds[] = {
    {Precision::kFloat32, 1e-5}, {Precision::kFloat16, 5e-3}, {Precision::kBFloat16, 4e-2}};

inline void expect_matches(const Graph& graph, const std::string& what) {
  const auto backend = cuda::make_backend();
  for (const std::int64_t batch : {1, 3}) {
    const Arrays inputs = reference::random_inputs(graph, batch, 7);
    const Arrays expected = reference::interpret(graph, batch, inputs);
    for (const Kind& kind : kFloatKinds) {
      const auto executable = backend->compile(graph, options_for(batch, kind.precision));
      expect_close(run(*executable->create_execution(), graph, batch, inputs), expected,
                   kind.tolerance, what + " " + std::string(name_of(kind.precision)));
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

/// The largest magnitude of every point that is quantised, on random inputs.
inline DynamicRanges ranges_of(const Graph& graph) {
  Graph observed = graph;
  DynamicRanges ranges;
  std::vector<std::string> names;
  for (const QuantizationPoint& point : quantization_points(graph)) {
    names.push_back(graph.node(point.value).name);
    observed.add_output("amax of " + names.back(), point.value);
  }
  const Arrays values =
      reference::interpret(observed, 2, reference::random_inputs(observed, 2, 11));
  for (std::size_t index = 0; index < names.size(); ++index) {
    double amax = 1e-3;
    for (const double value : values[graph.outputs().size() + index]) {
      amax = std::max(amax, std::abs(value));
    }
    ranges[names[index]] = amax;
  }
  return ranges;
}

inline void expect_quantized_matches(const Graph& graph, const std::string& what) {
  const auto backend = cuda::make_backend();
  const Graph quantized = quantize(graph, ranges_of(graph));
  for (const std::int64_t batch : {1, 3}) {
    const Arrays inputs = reference::random_inputs(graph, batch, 7);
    const Arrays expected = reference::interpret(quantized, batch, inputs);
    for (const Precision precision : {Precision::kInt8, Precision::kMixed}) {
      const auto executable = backend->compile(quantized, options_for(batch, precision));
      expect_close(run(*executable->create_execution(), quantized, batch, inputs), expected, 6e-3,
                   what + " " + std::string(name_of(precision)));
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace chexnet_trt::testing
