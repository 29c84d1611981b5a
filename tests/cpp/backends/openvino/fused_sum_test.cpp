#include "backends/openvino/fused_sum.hpp"

#include <algorithm>
#include <openvino/op/constant.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/runtime/core.hpp>

#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;

NodeId stored(Graph& graph, const std::string& name, NodeId x, float scale, ElementType element) {
  const NodeId s = graph.add_constant(name + "/scale", Tensor::from_floats({}, {scale}));
  const NodeId q =
      graph.add(Op::kQuantize, name + "/quantize", {x, s}, QuantizeAttributes{element});
  return graph.add(Op::kDequantize, name + "/dequantize", {q, s}, AxisAttributes{});
}

NodeId int8_weights(Graph& graph) {
  const NodeId levels = graph.add_constant(
      "w/levels", Tensor::from_ints(ElementType::kInt8, {1, 1, 2, 2}, {127, -50, 31, 127}));
  const NodeId scales =
      graph.add_constant("w/scales", Tensor::from_floats({2}, {0.0103F, 0.0217F}));
  return graph.add(Op::kDequantize, "w", {levels, scales}, AxisAttributes{3});
}

/// conv(x) + dequantised x, and what `finish` puts behind the sum.
template <typename Finish>
Graph residual(Finish finish, bool is_int8 = true) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 6, 6, 2}}, TensorLayout::kNhwc);
  const NodeId trunk = stored(graph, "trunk", x, 0.01F, ElementType::kInt8);
  const NodeId weights = is_int8 ? int8_weights(graph) : random_constant(graph, "w", {1, 1, 2, 2});
  const NodeId conv = graph.add(Op::kConv2D, "conv", {trunk, weights}, ConvAttributes{});
  const NodeId sum =
      graph.add(Op::kBinary, "sum", {conv, trunk}, BinaryAttributes{BinaryKind::kAdd});
  graph.add_output("y", finish(graph, sum));
  return graph;
}

/// Upper limits of the FakeQuantize nodes with more than 256 levels.
std::vector<std::vector<float>> fine_limits(const Graph& graph) {
  std::vector<std::vector<float>> result;
  for (const auto& node : openvino::lower(graph, 1)->get_ops()) {
    const auto quantize = ov::as_type_ptr<ov::op::v0::FakeQuantize>(node);
    if (quantize == nullptr || quantize->get_levels() <= 256) continue;
    result.push_back(ov::as_type_ptr<ov::op::v0::Constant>(quantize->get_input_node_shared_ptr(2))
                         ->cast_vector<float>());
  }
  return result;
}

TEST(FusedSum, CoversWhatTheStoredSumCanShow) {
  const Graph graph = residual(
      [](Graph& g, NodeId sum) { return stored(g, "sum", sum, 0.02F, ElementType::kInt8); });
  const auto limits = fine_limits(graph);
  ASSERT_EQ(limits.size(), 1U);
  ASSERT_EQ(limits[0].size(), 1U);
  EXPECT_FLOAT_EQ(limits[0][0], 0.01F * 128 + 0.02F * 128);
  expect_matches(graph, "stored sum");
}

TEST(FusedSum, CoversEachChannelThroughScaleShiftAndRelu) {
  const Graph graph = residual([](Graph& g, NodeId sum) {
    const NodeId scale = g.add_constant("scale", Tensor::from_floats({2}, {2, -0.5F}));
    const NodeId shift = g.add_constant("shift", Tensor::from_floats({2}, {1, -3}));
    const NodeId scaled =
        g.add(Op::kBinary, "scaled", {sum, scale}, BinaryAttributes{BinaryKind::kMul});
    const NodeId shifted =
        g.add(Op::kBinary, "shifted", {scaled, shift}, BinaryAttributes{BinaryKind::kAdd});
    const NodeId relu = g.add(Op::kActivation, "relu", {shifted}, ActivationAttributes{});
    return stored(g, "relu", relu, 0.02F, ElementType::kUInt8);
  });
  const auto limits = fine_limits(graph);
  ASSERT_EQ(limits.size(), 1U);
  ASSERT_EQ(limits[0].size(), 2U);
  EXPECT_FLOAT_EQ(limits[0][0], 0.01F * 128 + (0.02F * 255 + 1) / 2);
  EXPECT_FLOAT_EQ(limits[0][1], 0.01F * 128 + (0.02F * 255 + 3) / 0.5F);
  expect_matches(graph, "stored relu");
}

TEST(FusedSum, LeavesASumThatIsNotStoredOrReadTwice) {
  EXPECT_TRUE(fine_limits(residual([](Graph&, NodeId sum) { return sum; })).empty());
  EXPECT_TRUE(fine_limits(residual([](Graph& g, NodeId sum) {
                g.add_output("sum", sum);
                return stored(g, "sum", sum, 0.02F, ElementType::kInt8);
              })).empty());
  EXPECT_TRUE(fine_limits(residual([](Graph& g, NodeId sum) {
                const NodeId tanh = g.add(Op::kActivation, "tanh", {sum},
                                          ActivationAttributes{ActivationKind::kTanh, 0});
                return stored(g, "tanh", tanh, 0.02F, ElementType::kInt8);
              })).empty());
}

TEST(FusedSum, LeavesTheSumOfALayerInFloatingPoint) {
  const auto finish = [](Graph& g, NodeId sum) {
    return stored(g, "sum", sum, 0.02F, ElementType::kInt8);
  };
  EXPECT_EQ(fine_limits(residual(finish)).size(), 1U);
  EXPECT_TRUE(fine_limits(residual(finish, false)).empty());
}

TEST(FusedSum, CoarseHasEightBitsAndTellsWhatMustBeOneKernel) {
  const Graph graph = residual(
      [](Graph& g, NodeId sum) { return stored(g, "sum", sum, 0.02F, ElementType::kInt8); });
  std::vector<openvino::FusedSum> sums;
  const auto model = openvino::lower(graph, 1, {openvino::SumFusion::kCoarse, false, &sums});
  ASSERT_EQ(sums.size(), 1U);
  EXPECT_EQ(sums[0].sum, "sum");
  EXPECT_EQ(sums[0].quantize, "sum/quantize");
  const auto ops = model->get_ops();
  const auto marker = std::find_if(ops.begin(), ops.end(), [&](const auto& node) {
    return node->get_friendly_name() == sums[0].marker;
  });
  ASSERT_NE(marker, ops.end());
  EXPECT_EQ(ov::as_type_ptr<ov::op::v0::FakeQuantize>(*marker)->get_levels(), 256U);
}

TEST(FusedSum, IsFusedLooksForOneConvolutionWithAllThreeNodes) {
  const Graph graph = residual(
      [](Graph& g, NodeId sum) { return stored(g, "sum", sum, 0.02F, ElementType::kInt8); });
  ov::Core core;
  const auto model = core.compile_model(openvino::lower(graph, 1), "CPU");
  EXPECT_TRUE(openvino::is_fused(model, {}));
  const std::string convolution = "conv";
  EXPECT_TRUE(openvino::is_fused(model, {{convolution, convolution, convolution}}));
  EXPECT_FALSE(openvino::is_fused(model, {{convolution, convolution, "another"}}));
}

}  // namespace
}  // namespace chexnet_trt::testing
