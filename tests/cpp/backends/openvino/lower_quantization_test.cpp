#include "backends/openvino/lowering.hpp"
#include "common/error.hpp"
#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;

NodeId scalar(Graph& graph, const std::string& name, float value) {
  return graph.add_constant(name, Tensor::from_floats({}, {value}));
}

TEST(LowerQuantization, RoundsHalfToEvenAndSaturates) {
  for (const ElementType element : {ElementType::kInt8, ElementType::kUInt8}) {
    Graph graph;
    const NodeId x = graph.add_input("x", {kFloat, {kBatch, 12}});
    const NodeId scale = scalar(graph, "s", 0.5F);
    const NodeId q = graph.add(Op::kQuantize, "q", {x, scale}, QuantizeAttributes{element});
    graph.add_output("y", graph.add(Op::kDequantize, "d", {q, scale}, AxisAttributes{}));
    const std::vector<double> row{0.25, 0.75, -0.25, -0.75, 0.3, -0.3,
                                  63.4, 63.9, 127.6, 500,   -64, -99};
    expect_matches_with(graph, "rounding", [&](std::int64_t batch) {
      std::vector<double> values;
      for (std::int64_t i = 0; i < batch; ++i) values.insert(values.end(), row.begin(), row.end());
      return Arrays{values};
    });
    EXPECT_EQ(count_of(graph, "FakeQuantize"), 1U);
  }
}

TEST(LowerQuantization, WritesTheLevelsOfANormalisedConcatOut) {
  for (const ElementType element : {ElementType::kUInt8, ElementType::kInt8}) {
    Graph graph;
    const NodeId x = graph.add_input("x", {kFloat, {kBatch, 3}});
    const NodeId joined = graph.add(Op::kConcat, "joined", {x, x}, AxisAttributes{1});
    const NodeId by = graph.add_constant("by", Tensor::from_floats({6}, {1, -2, 3, 0.5F, 7, -1}));
    const NodeId plus =
        graph.add_constant("plus", Tensor::from_floats({6}, {0, 1, 2, -1, 0.1F, 9}));
    const NodeId scaled =
        graph.add(Op::kBinary, "scaled", {joined, by}, BinaryAttributes{BinaryKind::kMul});
    const NodeId shifted =
        graph.add(Op::kBinary, "shifted", {scaled, plus}, BinaryAttributes{BinaryKind::kAdd});
    const NodeId relu =
        graph.add(Op::kActivation, "relu", {shifted}, ActivationAttributes{ActivationKind::kRelu});
    const NodeId scale = scalar(graph, "s", 0.3F);
    const NodeId q = graph.add(Op::kQuantize, "q", {relu, scale}, QuantizeAttributes{element});
    graph.add_output("y", graph.add(Op::kDequantize, "d", {q, scale}, AxisAttributes{}));
    expect_matches_with(graph, "levels", [](std::int64_t batch) {
      const std::vector<double> row{1.37, -40.1, 90.7};
      std::vector<double> values;
      for (std::int64_t i = 0; i < batch; ++i) values.insert(values.end(), row.begin(), row.end());
      return Arrays{values};
    });
    const bool is_unsigned = element == ElementType::kUInt8;
    EXPECT_EQ(count_of(graph, "FakeQuantize"), is_unsigned ? 0U : 1U);
    EXPECT_EQ(count_of(graph, "Clamp"), is_unsigned ? 1U : 0U);
  }
}

/// A convolution or matmul of `x` by int8 weights with a scale a channel.
NodeId int8_weights(Graph& graph, const Shape& shape, std::int64_t axis) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < element_count(shape); ++i) values.push_back(i * 37 % 255 - 127);
  const NodeId weights =
      graph.add_constant("w", Tensor::from_ints(ElementType::kInt8, shape, values));
  const NodeId scales =
      random_constant(graph, "scales", {shape[static_cast<std::size_t>(axis)]}, 3);
  return graph.add(Op::kDequantize, "weights", {weights, scales}, AxisAttributes{axis});
}

TEST(LowerQuantization, MovesInt8WeightsOfConvolutionsAtLoweringTime) {
  for (const std::int64_t kernel : {1, 3}) {
    Graph graph;
    const NodeId x = graph.add_input("x", {kFloat, {kBatch, 5, 6, 3}}, TensorLayout::kNhwc);
    const NodeId weights = int8_weights(graph, {kernel, kernel, 3, 4}, 3);
    graph.add_output("y", graph.add(Op::kConv2D, "conv", {x, weights}, ConvAttributes{}));
    EXPECT_EQ(count_of(graph, "Transpose"), 2U);  // of the input and the output
    EXPECT_EQ(count_of(graph, "Reshape"), 0U);
    expect_matches(graph, "int8 weights of a convolution", 1e-4);
  }
}

TEST(LowerQuantization, Int8WeightsOfGroupedConvolutionsAndMatMuls) {
  Graph grouped;
  const NodeId x = grouped.add_input("x", {kFloat, {kBatch, 5, 6, 4}}, TensorLayout::kNhwc);
  ConvAttributes conv;
  conv.groups = 2;
  const NodeId weights = int8_weights(grouped, {3, 3, 2, 6}, 3);
  grouped.add_output("y", grouped.add(Op::kConv2D, "conv", {x, weights}, conv));
  expect_matches(grouped, "grouped", 1e-4);
  for (const bool transpose_b : {false, true}) {
    Graph graph;
    const NodeId row = graph.add_input("x", {kFloat, {kBatch, 6}});
    const NodeId matrix =
        int8_weights(graph, transpose_b ? Shape{5, 6} : Shape{6, 5}, transpose_b ? 0 : 1);
    graph.add_output(
        "y", graph.add(Op::kMatMul, "fc", {row, matrix}, MatMulAttributes{false, transpose_b}));
    expect_matches(graph, "matmul", 1e-4);
  }
}

TEST(LowerQuantization, AScalarScaleOfAConstant) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 3}});
  const NodeId bytes =
      graph.add_constant("b", Tensor::from_ints(ElementType::kUInt8, {3}, {0, 7, 255}));
  const NodeId values =
      graph.add(Op::kDequantize, "v", {bytes, scalar(graph, "s", 0.5F)}, AxisAttributes{});
  graph.add_output("y", graph.add(Op::kBinary, "y", {x, values}, BinaryAttributes{}));
  expect_matches(graph, "scalar scale");
}

void expect_refused(Graph& graph) {
  EXPECT_THROW(backend("openvino").compile(graph, options_for(1)), BackendError);
}

TEST(LowerQuantization, RefusesAQuantizeThatIsReadOtherwise) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 4}});
  const NodeId scale = scalar(graph, "s", 0.5F);
  const NodeId q = graph.add(Op::kQuantize, "q", {x, scale}, QuantizeAttributes{});
  Graph as_output = graph;
  as_output.add_output("y", q);
  expect_refused(as_output);
  Graph cast = graph;
  cast.add_output("y", cast.add(Op::kCast, "y", {q}, CastAttributes{kFloat}));
  expect_refused(cast);
  Graph other_scale = graph;
  const NodeId other = scalar(other_scale, "t", 0.25F);
  other_scale.add_output("y", other_scale.add(Op::kDequantize, "y", {q, other}, AxisAttributes{}));
  expect_refused(other_scale);
}

TEST(LowerQuantization, RefusesAScaleThatIsNoConstant) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 4}});
  const NodeId scale = graph.add_input("s", {kFloat, {}});
  const NodeId q = graph.add(Op::kQuantize, "q", {x, scale}, QuantizeAttributes{});
  graph.add_output("y", graph.add(Op::kDequantize, "y", {q, scale}, AxisAttributes{}));
  expect_refused(graph);
}

}  // namespace
}  // namespace chexnet_trt::testing
