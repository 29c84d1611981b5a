#include <gtest/gtest.h>

#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;
constexpr std::array<TensorLayout, 2> kLayouts{TensorLayout::kNhwc, TensorLayout::kNchw};

Shape image_shape(TensorLayout layout, std::int64_t channels, std::int64_t height,
                  std::int64_t width) {
  return layout == TensorLayout::kNhwc ? Shape{kBatch, height, width, channels}
                                       : Shape{kBatch, channels, height, width};
}

template <typename Attributes>
void expect_conv(Op op, Attributes attributes, const Shape& weights, std::int64_t channels,
                 std::int64_t height, std::int64_t width, const std::string& what) {
  for (const TensorLayout layout : kLayouts) {
    attributes.layout = layout;
    Graph graph;
    const NodeId x =
        graph.add_input("x", {kFloat, image_shape(layout, channels, height, width)}, layout);
    const NodeId w = random_constant(graph, "w", weights);
    graph.add_output("y", graph.add(op, "y", {x, w}, attributes));
    expect_matches(graph, what + " " + std::string(name_of(layout)));
  }
}

TEST(LowerConv2D, AwkwardAttributes) {
  ConvAttributes conv;
  expect_conv(Op::kConv2D, conv, {1, 1, 5, 7}, 5, 6, 4, "1x1");
  conv.pads_begin = {0, 2};
  conv.pads_end = {1, 0};
  conv.strides = {3, 2};
  expect_conv(Op::kConv2D, conv, {3, 4, 5, 7}, 5, 11, 9, "asymmetric pads, stride 3");
  conv.dilations = {2, 3};
  expect_conv(Op::kConv2D, conv, {3, 2, 5, 7}, 5, 11, 9, "dilated");
}

TEST(LowerConv2D, Groups) {
  ConvAttributes conv;
  conv.groups = 2;
  conv.pads_end = {1, 1};
  expect_conv(Op::kConv2D, conv, {2, 2, 3, 8}, 6, 7, 5, "two groups");
  conv.groups = 6;
  expect_conv(Op::kConv2D, conv, {3, 3, 1, 12}, 6, 7, 5, "depthwise, multiplier 2");
}

TEST(LowerConv2D, WeightsMayBeComputed) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 6, 6, 3}}, TensorLayout::kNhwc);
  const NodeId w = graph.add_input("w", {kFloat, {3, 3, 3, 2}});
  graph.add_output("y", graph.add(Op::kConv2D, "y", {x, w}, ConvAttributes{}));
  expect_matches(graph, "weights as input");
}

TEST(LowerConv2D, UnalignedConstantsAreReadCorrectly) {
  const std::vector<double> values = reference::random_values(3 * 4, 5);
  const Tensor tensor = tensor_from_doubles(kFloat, {1, 1, 3, 4}, values);
  auto bytes = std::make_shared<std::vector<std::byte>>(tensor.bytes().size + 1);
  std::copy(tensor.bytes().begin(), tensor.bytes().end(), bytes->begin() + 1);
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 3, 2, 3}}, TensorLayout::kNhwc);
  const NodeId w = graph.add_constant(
      "w", Tensor::view(kFloat, {1, 1, 3, 4}, {bytes->data() + 1, bytes->size() - 1}, bytes));
  graph.add_output("y", graph.add(Op::kConv2D, "y", {x, w}, ConvAttributes{}));
  Graph aligned;
  const NodeId y = aligned.add_input("x", {kFloat, {kBatch, 3, 2, 3}}, TensorLayout::kNhwc);
  const NodeId v = aligned.add_constant("w", tensor);
  aligned.add_output("y", aligned.add(Op::kConv2D, "y", {y, v}, ConvAttributes{}));
  const Arrays inputs = reference::random_inputs(graph, 1, 7);
  expect_close(run(*backend("openvino").compile(graph, options_for(1)), graph, 1, inputs),
               reference::interpret(aligned, 1, inputs), 2e-5, "unaligned");
}

TEST(LowerConvTranspose2D, AwkwardAttributes) {
  ConvTransposeAttributes conv;
  conv.strides = {2, 3};
  conv.pads_begin = {0, 1};
  conv.pads_end = {1, 0};
  // Forward: (9 + 1 - 3) / 2 + 1 = 4 with a remainder of 1, (12 + 1 - 3) / 3 + 1 = 4, remainder 1.
  conv.output_size = {9, 12};
  expect_conv(Op::kConvTranspose2D, conv, {3, 3, 2, 5}, 5, 4, 4, "remainders");
  conv.strides = {1, 1};
  conv.pads_begin = conv.pads_end = {1, 1};
  conv.output_size = {6, 5};
  expect_conv(Op::kConvTranspose2D, conv, {3, 3, 4, 2}, 2, 6, 5, "same");
}

TEST(LowerPools, PaddingNeverTakesPart) {
  for (const TensorLayout layout : kLayouts) {
    for (const Op op : {Op::kMaxPool, Op::kAveragePool}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        PoolAttributes pool{layout, {3, 2}, {stride, 2}, {1, 0}, {2, 1}};
        Graph graph;
        const NodeId x = graph.add_input("x", {kFloat, image_shape(layout, 3, 9, 7)}, layout);
        const NodeId below = graph.add_constant("two", tensor_from_doubles(kFloat, {}, {2.0}));
        const NodeId negative =
            graph.add(Op::kBinary, "neg", {x, below}, BinaryAttributes{BinaryKind::kSub});
        graph.add_output("y", graph.add(op, "y", {negative}, pool));
        expect_matches(graph, "stride " + std::to_string(stride));
      }
    }
  }
}

TEST(LowerBatchNorm, BothLayouts) {
  for (const TensorLayout layout : kLayouts) {
    Graph graph;
    const NodeId x = graph.add_input("x", {kFloat, image_shape(layout, 5, 3, 4)}, layout);
    std::vector<NodeId> inputs{x};
    for (unsigned seed = 1; seed <= 3; ++seed) {
      inputs.push_back(random_constant(graph, "p" + std::to_string(seed), {5}, seed));
    }
    inputs.push_back(
        graph.add_constant("variance", tensor_from_doubles(kFloat, {5}, {0.01, 0.5, 1, 2, 1e-4})));
    graph.add_output("y",
                     graph.add(Op::kBatchNorm, "y", inputs, BatchNormAttributes{layout, 1e-3}));
    expect_matches(graph, "batch norm");
  }
}

TEST(LowerLrn, AlphaIsNotDividedByTheWindow) {
  for (const TensorLayout layout : kLayouts) {
    for (const std::int64_t radius : {0, 2, 5}) {
      Graph graph;
      const NodeId x = graph.add_input("x", {kFloat, image_shape(layout, 7, 3, 4)}, layout);
      LrnAttributes lrn{layout, radius, 0.7, 0.75, 1.5};
      graph.add_output("y", graph.add(Op::kLrn, "y", {x}, lrn));
      expect_matches(graph, "radius " + std::to_string(radius));
    }
  }
}

}  // namespace
}  // namespace chexnet_trt::testing
