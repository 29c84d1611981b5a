#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string_view>

#include "common/error.hpp"
#include "graph/text.hpp"
#include "passes/passes.hpp"
#include "reference/interpreter.hpp"

namespace chexnet_trt::passes {

/// Expects both graphs to compute the same from random inputs, up to float32 rounding of constants.
inline void expect_equal_values(const Graph& before, const Graph& after) {
  const auto inputs = reference::random_inputs(before, 2, 7);
  const auto expected = reference::interpret(before, 2, inputs);
  const auto actual = reference::interpret(after, 2, inputs);
  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t output = 0; output < expected.size(); ++output) {
    ASSERT_EQ(expected[output].size(), actual[output].size());
    for (std::size_t i = 0; i < expected[output].size(); ++i) {
      const double tolerance = 1e-5 * (1 + std::abs(expected[output][i]));
      ASSERT_NEAR(expected[output][i], actual[output][i], tolerance) << output << " " << i;
    }
  }
}

/// Runs `pass` on the text form `before`, checks values, the count of rewrites and that a second
/// run finds nothing, and returns the result without its dead nodes.
inline Graph run_pass(Pass pass, std::string_view before, int expected_rewrites) {
  const Graph source = graph_from_text(before);
  int rewrites = 0;
  Graph result = pass(source, rewrites);
  result.verify();
  EXPECT_EQ(rewrites, expected_rewrites);
  expect_equal_values(source, result);
  int again = 0;
  pass(result, again);
  EXPECT_EQ(again, 0);
  int dead = 0;
  return remove_dead_nodes(result, dead);
}

inline int count_of(const Graph& graph, Op op) {
  int count = 0;
  for (const Node& node : graph.nodes()) count += node.op == op ? 1 : 0;
  return count;
}

}  // namespace chexnet_trt::passes
