#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr std::int64_t kLargest = 2147483647;

/// x + k in int64.
Graph sum_with(std::int64_t k) {
  Graph graph;
  const NodeId x = graph.add_input("x", {ElementType::kInt64, {kBatch, 2}});
  const NodeId constant =
      graph.add_constant("k", Tensor::from_ints(ElementType::kInt64, {2}, {0, k}));
  graph.add_output("y", graph.add(Op::kBinary, "y", {x, constant}, BinaryAttributes{}));
  return graph;
}

TEST(LowerLeafOps, Int64ConstantsOf32BitsAreExact) {
  for (const std::int64_t k : {kLargest, -kLargest - 1}) {
    const Graph graph = sum_with(k);
    const auto executable = backend("openvino").compile(graph, options_for(1));
    EXPECT_EQ(run(*executable, graph, 1, {{0, 0}}), (Arrays{{0, static_cast<double>(k)}}));
  }
}

TEST(LowerLeafOps, Int64ConstantsBeyond32BitsAreRefused) {
  for (const std::int64_t k : {kLargest + 1, -kLargest - 2, std::int64_t{1} << 40}) {
    try {
      backend("openvino").compile(sum_with(k), options_for(1));
      FAIL() << k;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("'k' holds " + std::to_string(k)));
    }
  }
}

TEST(LowerLeafOps, Int64InputsBeyond32BitsAreRefused) {
  const Graph graph = sum_with(1);
  const auto executable = backend("openvino").compile(graph, options_for(1));
  EXPECT_EQ(run(*executable, graph, 1, {{static_cast<double>(kLargest), 2}}),
            (Arrays{{static_cast<double>(kLargest), 3}}));
  EXPECT_THROW(run(*executable, graph, 1, {{0, 1099511627776.0}}), InputError);
}

}  // namespace
}  // namespace chexnet_trt::testing
