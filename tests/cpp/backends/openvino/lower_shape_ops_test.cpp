#include <gtest/gtest.h>

#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;

Graph one_op(Op op, const Shape& shape, const Attributes& attributes) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, shape});
  graph.add_output("y", graph.add(op, "y", {x}, attributes));
  return graph;
}

TEST(LowerReshape, AddsAndMergesAxes) {
  expect_matches(one_op(Op::kReshape, {kBatch, 3, 4}, ReshapeAttributes{{kBatch, 2, 1, 6}}), "up");
  expect_matches(one_op(Op::kReshape, {kBatch, 3, 4}, ReshapeAttributes{{kBatch, 12}}), "flat");
}

TEST(LowerTranspose, EveryPermutationOfAnImageThenAReshape) {
  Axes permutation{0, 1, 2, 3};
  do {
    Graph graph;
    const NodeId x = graph.add_input("x", {kFloat, {2, 3, 4, 5}});
    const NodeId y = graph.add(Op::kTranspose, "y", {x}, TransposeAttributes{permutation});
    graph.add_output("y", y);
    graph.add_output("flat", graph.add(Op::kReshape, "flat", {y}, ReshapeAttributes{{120}}));
    const NodeId c = random_constant(graph, "c", {graph.node(y).type.shape.back()});
    graph.add_output("sum", graph.add(Op::kBinary, "sum", {y, c}, BinaryAttributes{}));
    expect_matches(graph, to_string(permutation));
  } while (std::next_permutation(permutation.begin() + 1, permutation.end()));
}

TEST(LowerTranspose, TwiceIsComposed) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 3, 4, 5}});
  const NodeId a = graph.add(Op::kTranspose, "a", {x}, TransposeAttributes{{0, 3, 1, 2}});
  const NodeId b = graph.add(Op::kTranspose, "b", {a}, TransposeAttributes{{0, 3, 1, 2}});
  graph.add_output("a", a);
  graph.add_output("b", b);
  expect_matches(graph, "composed");
}

TEST(LowerConcat, ThreeParts) {
  Graph graph;
  const NodeId a = graph.add_input("a", {kFloat, {kBatch, 2, 3}});
  const NodeId b = graph.add_input("b", {kFloat, {kBatch, 5, 3}});
  graph.add_output("y", graph.add(Op::kConcat, "y", {a, b, a}, AxisAttributes{1}));
  graph.add_output("one", graph.add(Op::kConcat, "one", {a}, AxisAttributes{2}));
  expect_matches(graph, "concat");
}

TEST(LowerPad, EveryAxis) {
  expect_matches(one_op(Op::kPad, {kBatch, 3, 4, 2}, PadAttributes{{0, 1, 0, 2}, {0, 0, 3, 1}}),
                 "pad");
  expect_matches(one_op(Op::kPad, {kBatch, 3}, PadAttributes{{0, 2}, {0, 1}}), "pad of rank 2");
}

TEST(LowerSlice, NegativeStridesAndStridesThatOvershoot) {
  expect_matches(
      one_op(Op::kSlice, {kBatch, 7, 6}, SliceAttributes{{0, 6, 5}, {kBatch, -1, 1}, {1, -1, -3}}),
      "reversed");
  expect_matches(
      one_op(Op::kSlice, {kBatch, 7, 6}, SliceAttributes{{0, 1, 0}, {kBatch, 7, 6}, {1, 4, 2}}),
      "overshooting");
  expect_matches(one_op(Op::kSlice, {kBatch, 7}, SliceAttributes{{0, 0}, {kBatch, -1}, {1, -2}}),
                 "one element");
}

TEST(LowerGather, IndicesOfEveryRank) {
  const std::vector<std::pair<Shape, std::vector<std::int64_t>>> indices{
      {{}, {2}}, {{4}, {0, 2, 2, 1}}, {{2, 2}, {2, 0, 1, 1}}};
  for (const auto& [shape, values] : indices) {
    for (const std::int64_t axis : {1, 2}) {
      for (const ElementType type : {ElementType::kInt32, ElementType::kInt64}) {
        Graph graph;
        const NodeId x = graph.add_input("x", {kFloat, {kBatch, 3, 4}});
        const NodeId at = graph.add_constant("at", Tensor::from_ints(type, shape, values));
        graph.add_output("y", graph.add(Op::kGather, "y", {x, at}, AxisAttributes{axis}));
        expect_matches(graph, "gather");
      }
    }
  }
}

}  // namespace
}  // namespace chexnet_trt::testing
