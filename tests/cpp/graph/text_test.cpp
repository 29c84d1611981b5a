#include "graph/text.hpp"

#include <gtest/gtest.h>

#include "graph/one_of_each.hpp"

namespace chexnet_trt {
namespace {

std::string weights_of(const Graph& graph) {
  std::string blob;
  write_weights(graph, [&](ByteView bytes) { blob += bytes.text(); });
  return blob;
}

TEST(Text, IsStable) {
  Graph graph;
  const NodeId x =
      graph.add_input("x", {ElementType::kFloat32, {kBatch, 2, 2, 3}}, TensorLayout::kNhwc);
  const NodeId a = graph.add_constant("a", Tensor::from_floats({1}, {1}));
  const NodeId b = graph.add_constant("b", Tensor::from_floats({3}, {1, 2, 3}));
  const NodeId y = graph.add(Op::kBinary, "y", {x, b}, BinaryAttributes{BinaryKind::kMul});
  const NodeId z = graph.add(Op::kBatchNorm, "z", {y, b, b, b, b},
                             BatchNormAttributes{TensorLayout::kNhwc, 0.1});
  graph.add_output("z", z);
  EXPECT_EQ(a, 1);
  EXPECT_EQ(to_text(graph),
            R"("x" = input() element=float32 shape=[?,2,2,3] layout=nhwc : float32[?,2,2,3]
"a" = constant() value=@0+4 : float32[1]
"b" = constant() value=@64+12 : float32[3]
"y" = binary("x","b") kind=mul : float32[?,2,2,3]
"z" = batch_norm("y","b","b","b","b") layout=nhwc epsilon=0.10000000000000001 : float32[?,2,2,3]
output "z" = "z"
)");
}

TEST(Text, WeightsAreAlignedWithZeros) {
  Graph graph;
  graph.add_constant("a", Tensor::from_ints(ElementType::kInt8, {1}, {7}));
  graph.add_constant("b", Tensor::from_ints(ElementType::kInt8, {2}, {1, 2}));
  const std::string blob = weights_of(graph);
  EXPECT_EQ(blob, std::string("\7") + std::string(kWeightAlignment - 1, '\0') + "\1\2");
}

TEST(Text, EveryOpAndAttributeRoundTrips) {
  const Graph graph = one_of_each();
  const std::string text = to_text(graph);
  const std::string blob = weights_of(graph);
  const Graph parsed = graph_from_text(text, ByteView(blob));
  EXPECT_EQ(to_text(parsed), text);
  EXPECT_EQ(weights_of(parsed), blob);
  EXPECT_EQ(parsed.hash(), graph.hash());
}

}  // namespace
}  // namespace chexnet_trt
