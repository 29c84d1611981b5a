#include "passes/observe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "passes/pass_testing.hpp"

namespace chexnet_trt {
namespace {

Graph network(TensorLayout layout) {
  Graph graph;
  const Shape shape =
      layout == TensorLayout::kNhwc ? Shape{kBatch, 8, 6, 3} : Shape{kBatch, 3, 8, 6};
  const NodeId x = graph.add_input("x", {ElementType::kFloat32, shape}, layout);
  graph.add_output(
      "y", graph.add(Op::kActivation, "relu", {x}, ActivationAttributes{ActivationKind::kRelu}));
  return graph;
}

Shape observed_shape(const Graph& graph, const ObserveOptions& options) {
  const Graph observed = observe(graph, {graph.find("relu")}, options);
  EXPECT_EQ(observed.outputs().size(), 1U);
  EXPECT_EQ(observed.outputs()[0].name, "relu/observed");
  return observed.node(observed.outputs()[0].value).type.shape;
}

TEST(Observe, ASampleKeepsEveryChannelOfAGridOfPositions) {
  const Graph nhwc = network(TensorLayout::kNhwc);
  EXPECT_EQ(observed_shape(nhwc, {Observation::kSample, 0}), (Shape{kBatch, 8, 6, 3}));
  EXPECT_EQ(observed_shape(nhwc, {Observation::kSample, 143}), (Shape{kBatch, 4, 3, 3}));
  EXPECT_EQ(observed_shape(nhwc, {Observation::kSample, 13}), (Shape{kBatch, 2, 2, 3}));
  EXPECT_EQ(observed_shape(nhwc, {Observation::kSample, 1}), (Shape{kBatch, 1, 1, 3}));
  const Graph nchw = network(TensorLayout::kNchw);
  EXPECT_EQ(observed_shape(nchw, {Observation::kSample, 143}), (Shape{kBatch, 3, 4, 3}));
}

TEST(Observe, ExtremesAreThoseOfEachChannelOfEachItem) {
  const Graph graph = network(TensorLayout::kNhwc);
  const Graph observed = observe(graph, {graph.find("x")}, {Observation::kExtremes});
  const auto inputs = reference::random_inputs(graph, 2, 3);
  const std::vector<double> actual = reference::interpret(observed, 2, inputs).back();
  std::vector<double> expected;
  for (std::size_t item = 0; item < 2; ++item) {
    std::vector<double> least(3, std::numeric_limits<double>::infinity());
    std::vector<double> most(3, -std::numeric_limits<double>::infinity());
    for (std::size_t at = 0; at < 144; ++at) {
      const double number = inputs[0][item * 144 + at];
      least[at % 3] = std::min(least[at % 3], number);
      most[at % 3] = std::max(most[at % 3], number);
    }
    expected.insert(expected.end(), least.begin(), least.end());
    expected.insert(expected.end(), most.begin(), most.end());
  }
  EXPECT_EQ(actual, expected);
}

TEST(Observe, OfAValueThatCannotBeNegativeTheLargestIsEnough) {
  EXPECT_EQ(observed_shape(network(TensorLayout::kNhwc), {Observation::kExtremes}),
            (Shape{kBatch, 1, 1, 3}));
}

TEST(Observe, ValuesOfOtherRanksAreTakenWhole) {
  Graph graph;
  const NodeId x = graph.add_input("x", {ElementType::kFloat32, {kBatch, 500}});
  graph.add_output("y", x);
  const Graph observed = observe(graph, {x}, {Observation::kSample, 10});
  EXPECT_EQ(observed.outputs()[0].value, x);
}

TEST(Observe, OnlyFloat32) {
  Graph graph;
  const NodeId x = graph.add_input("x", {ElementType::kInt32, {kBatch, 5}});
  const NodeId f = graph.add(Op::kCast, "f", {x}, CastAttributes{ElementType::kFloat32});
  graph.add_output("y", f);
  EXPECT_THROW(observe(graph, {x}, {}), InputError);
  EXPECT_EQ(observe(graph, {f}, {}).outputs()[0].name, "f/observed");
}

}  // namespace
}  // namespace chexnet_trt
