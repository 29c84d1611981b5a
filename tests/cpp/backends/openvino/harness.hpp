#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "backends/buffers.hpp"
#include "backends/openvino/lowering.hpp"
#include "backends/registry.hpp"
#include "graph/graph.hpp"
#include "reference/interpreter.hpp"

namespace chexnet_trt::testing {

inline CompileOptions options_for(std::int64_t batch) {
  CompileOptions options;
  options.batch = batch;
  options.threads = 2;
  return options;
}

inline void expect_close(const Arrays& actual, const Arrays& expected, double tolerance,
                         const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t output = 0; output < actual.size(); ++output) {
    ASSERT_EQ(actual[output].size(), expected[output].size()) << what;
    for (std::size_t i = 0; i < actual[output].size(); ++i) {
      const double want = expected[output][i];
      ASSERT_NEAR(actual[output][i], want, tolerance * (1 + std::abs(want)))
          << what << ", output " << output << " element " << i;
    }
  }
}

/// Runs `graph` at batches 1 and 3 and compares with the float64 interpreter.
inline void expect_matches_with(const Graph& graph, const std::string& what,
                                const std::function<Arrays(std::int64_t)>& make_inputs,
                                double tolerance = 2e-5) {
  for (const std::int64_t batch : {1, 3}) {
    const Arrays inputs = make_inputs(batch);
    const auto executable = backend("openvino").compile(graph, options_for(batch));
    expect_close(run(*executable, graph, batch, inputs), reference::interpret(graph, batch, inputs),
                 tolerance, what + ", batch " + std::to_string(batch));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

inline void expect_matches(const Graph& graph, const std::string& what, double tolerance = 2e-5) {
  expect_matches_with(
      graph, what, [&](std::int64_t batch) { return reference::random_inputs(graph, batch, 7); },
      tolerance);
}

/// Nodes of this type that `graph` becomes.
inline std::size_t count_of(const Graph& graph, const std::string& type) {
  std::size_t count = 0;
  for (const auto& node : openvino::lower(graph, 1)->get_ops()) {
    if (node->get_type_name() == type) ++count;
  }
  return count;
}

/// A float32 constant of values in [-1, 1).
inline NodeId random_constant(Graph& graph, const std::string& name, const Shape& shape,
                              unsigned seed = 1) {
  const std::vector<double> values =
      reference::random_values(static_cast<std::size_t>(element_count(shape)), seed);
  return graph.add_constant(name, tensor_from_doubles(ElementType::kFloat32, shape, values));
}

}  // namespace chexnet_trt::testing
