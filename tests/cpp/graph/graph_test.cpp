#include "graph/graph.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "graph/one_of_each.hpp"

namespace chexnet_trt {
namespace {

Graph small() {
  Graph graph;
  const NodeId x = graph.add_input("x", {ElementType::kFloat32, {kBatch, 2}});
  const NodeId c = graph.add_constant("c", Tensor::from_floats({2}, {1, 2}));
  const NodeId y = graph.add(Op::kBinary, "y", {x, c}, BinaryAttributes{});
  graph.add_output("out", y);
  return graph;
}

TEST(Graph, FindsCountsAndNames) {
  const Graph graph = small();
  EXPECT_EQ(graph.find("y"), 2);
  EXPECT_EQ(graph.find("z"), -1);
  EXPECT_EQ(graph.inputs(), std::vector<NodeId>{0});
  EXPECT_EQ(graph.constant(0), nullptr);
  ASSERT_NE(graph.constant(1), nullptr);
  EXPECT_EQ(graph.use_counts(), (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(graph.unique_name("y"), "y_1");
  EXPECT_EQ(graph.unique_name("new"), "new");
}

TEST(Graph, RefusesATakenNameAndNamesTheNode) {
  Graph graph = small();
  EXPECT_THROW(graph.add(Op::kIdentity, "y", {0}), InputError);
  try {
    graph.add(Op::kSoftmax, "soft", {0}, AxisAttributes{5});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()).find("node 'soft' (softmax): "), 0U);
  }
  EXPECT_EQ(graph.find("soft"), -1);
}

TEST(Graph, RefusesForwardReferences) {
  Graph graph;
  EXPECT_THROW(graph.add(Op::kIdentity, "a", {0}), Error);
  EXPECT_THROW(graph.add(Op::kIdentity, "a", {-1}), Error);
}

TEST(Graph, VerifyChecksOutputs) {
  Graph graph = small();
  graph.verify();
  graph.add_output("out", 0);
  EXPECT_THROW(graph.verify(), InputError);
  Graph outputless;
  outputless.add_input("x", {ElementType::kFloat32, {kBatch, 2}});
  EXPECT_THROW(outputless.verify(), InputError);
  Graph dangling = small();
  dangling.add_output("other", 99);
  EXPECT_THROW(dangling.verify(), Error);
}

TEST(Graph, HashSeesStructureAndWeights) {
  const std::string hash = small().hash();
  EXPECT_EQ(hash, small().hash());
  EXPECT_EQ(hash.size(), 64U);
  Graph other;
  const NodeId x = other.add_input("x", {ElementType::kFloat32, {kBatch, 2}});
  const NodeId c = other.add_constant("c", Tensor::from_floats({2}, {1, 3}));
  other.add_output("out", other.add(Op::kBinary, "y", {x, c}, BinaryAttributes{}));
  EXPECT_NE(hash, other.hash());
}

TEST(Graph, EveryOpVerifies) { one_of_each().verify(); }

}  // namespace
}  // namespace chexnet_trt
