#include <gtest/gtest.h>

#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;

TEST(LowerMatMul, EveryTransposition) {
  for (const bool a : {false, true}) {
    for (const bool b : {false, true}) {
      Graph graph;
      const NodeId x = graph.add_input("x", {kFloat, a ? Shape{5, 3} : Shape{3, 5}});
      const NodeId w = random_constant(graph, "w", b ? Shape{4, 5} : Shape{5, 4});
      const NodeId y = graph.add(Op::kMatMul, "y", {x, w}, MatMulAttributes{a, b});
      const NodeId turned = graph.add(Op::kTranspose, "t", {y}, TransposeAttributes{{1, 0}});
      const NodeId v = random_constant(graph, "v", {3, 2});
      graph.add_output("y", y);
      graph.add_output("z", graph.add(Op::kMatMul, "z", {turned, v}, MatMulAttributes{}));
      expect_matches(graph, "matmul");
    }
  }
}

TEST(LowerReduce, EveryKindAndAxes) {
  for (int kind = 0; kind <= static_cast<int>(ReduceKind::kMean); ++kind) {
    for (const Axes& axes : std::vector<Axes>{{}, {1}, {2}, {1, 3}, {1, 2, 3}}) {
      for (const bool keep : {false, true}) {
        Graph graph;
        const NodeId x = graph.add_input("x", {kFloat, {kBatch, 3, 4, 5}});
        const ReduceAttributes reduce{static_cast<ReduceKind>(kind), axes, keep};
        graph.add_output("y", graph.add(Op::kReduce, "y", {x}, reduce));
        expect_matches(graph, std::string(name_of(reduce.kind)) + to_string(axes));
      }
    }
  }
}

TEST(LowerSoftmax, EveryAxis) {
  for (const std::int64_t axis : {1, 2}) {
    Graph graph;
    const NodeId x = graph.add_input("x", {kFloat, {kBatch, 3, 9}});
    graph.add_output("y", graph.add(Op::kSoftmax, "y", {x}, AxisAttributes{axis}));
    expect_matches(graph, "softmax");
  }
}

TEST(LowerArgMaxAndArgMin, TheFirstOfEqualsWins) {
  for (const std::int64_t width : {5, 40, 300}) {
    Graph graph;
    const NodeId x = graph.add_input("x", {kFloat, {kBatch, width, 2}});
    graph.add_output("max", graph.add(Op::kArgMax, "max", {x}, AxisAttributes{1}));
    graph.add_output("min", graph.add(Op::kArgMin, "min", {x}, AxisAttributes{1}));
    expect_matches_with(graph, "ties among " + std::to_string(width), [&](std::int64_t batch) {
      Arrays inputs = reference::random_inputs(graph, batch, 3);
      for (double& value : inputs[0]) value = std::floor(value * 2);
      return inputs;
    });
  }
}

TEST(LowerArgMax, OfAMatrixAsCategories) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 14}});
  graph.add_output("categories", graph.add(Op::kArgMax, "categories", {x}, AxisAttributes{1}));
  expect_matches(graph, "categories");
}

}  // namespace
}  // namespace chexnet_trt::testing
