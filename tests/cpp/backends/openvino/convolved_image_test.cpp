#include "backends/openvino/convolved_image.hpp"

#include <gtest/gtest.h>

#include "backends/openvino/level_product.hpp"
#include "backends/openvino/normalised_convolution.hpp"
#include "backends/quantized_exactness.hpp"
#include "backends/quantized_networks.hpp"
#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

class ConvolvedImage : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!openvino::NormalisedConvolution::is_available()) {
      GTEST_SKIP() << "this CPU has no VNNI of 512 bits";
    }
  }
};

/// Two images, joined and normalised, then a convolution to `channels` channels and another behind it.
/// `read` may read what the first convolution reads.
template <typename Read>
Graph dense_layer(std::int64_t channels, const ConvAttributes& conv, bool has_bias, Read read) {
  QuantizedNetwork net;
  const NodeId x = net.input({kBatch, 9, 7, 3});
  const NodeId joined = net.concat({net.same_conv(x, 3, 40), net.conv(x, 1, 32)});
  const NodeId normal = net.relu(net.norm(joined));
  NodeId y = net.conv(normal, 1, channels, conv);
  if (has_bias) y = net.bias(y);
  y = net.conv(net.relu(y), 1, 8);
  return net.finish(read(net, normal, y));
}

NodeId nothing(QuantizedNetwork& /*net*/, NodeId /*normal*/, NodeId y) { return y; }

/// `amax`, unless it is 0, is what the last convolution's input is said to reach.
Graph quantized(const Graph& network, double amax = 0) {
  const Graph graph = optimize(network);
  DynamicRanges ranges =
      observe_points(graph, reference::random_inputs(graph, kQuantizedImages, 7));
  if (amax > 0) ranges[graph.node(quantization_points(graph).back().value).name] = amax;
  return quantize(graph, ranges);
}

TEST_F(ConvolvedImage, IsOneNodeWithItsNormalisation) {
  const Graph graph = quantized(dense_layer(64, {}, true, nothing));
  EXPECT_EQ(count_of(graph, "NormalisedConvolution"), 1U);
  EXPECT_EQ(count_of(graph, "ConcatNormalise"), 0U);
}

TEST_F(ConvolvedImage, OfOtherThanWholeColumnsIsOpenVinosConvolution) {
  const Graph graph = quantized(dense_layer(40, {}, true, nothing));
  EXPECT_EQ(count_of(graph, "NormalisedConvolution"), 0U);
  EXPECT_EQ(count_of(graph, "ConcatNormalise"), 1U);
}

TEST_F(ConvolvedImage, OfAStrideIsOpenVinosConvolution) {
  ConvAttributes conv;
  conv.strides = {2, 2};
  EXPECT_EQ(count_of(quantized(dense_layer(64, conv, true, nothing)), "NormalisedConvolution"), 0U);
}

TEST_F(ConvolvedImage, WithoutABiasIsOpenVinosConvolution) {
  EXPECT_EQ(count_of(quantized(dense_layer(64, {}, false, nothing)), "NormalisedConvolution"), 0U);
}

TEST_F(ConvolvedImage, BeyondInt32InItsStepsIsOpenVinosConvolution) {
  const Graph network = dense_layer(64, {}, true, nothing);
  EXPECT_EQ(count_of(quantized(network, 1e-3), "NormalisedConvolution"), 1U);
  EXPECT_EQ(count_of(quantized(network, 1e-9), "NormalisedConvolution"), 0U);
}

TEST_F(ConvolvedImage, OfAnImageThatIsReadElsewhereIsOpenVinosConvolution) {
  const Graph graph =
      quantized(dense_layer(64, {}, true, [](QuantizedNetwork& net, NodeId normal, NodeId y) {
        return net.add(y, net.conv(normal, 1, 8));
      }));
  EXPECT_EQ(count_of(graph, "NormalisedConvolution"), 0U);
  EXPECT_EQ(count_of(graph, "ConcatNormalise"), 1U);
}

TEST_F(ConvolvedImage, IsExact) {
  const auto compile = [](const Graph& graph, std::int64_t batch) {
    return backend("openvino").compile(graph, options_for(batch));
  };
  for (const std::int64_t channels : {32, 64, 96}) {
    expect_exact(compile, dense_layer(channels, {}, true, nothing));
  }
}

TEST_F(ConvolvedImage, IsNamedAmongTheLayersByItsConvolution) {
  const Graph graph = quantized(dense_layer(64, {}, true, nothing));
  std::size_t count = 0;
  for (const LayerInfo& layer : backend("openvino").compile(graph, options_for(1))->layers()) {
    EXPECT_NE(layer.type, "Reference") << layer.name;
    if (layer.type != "NormalisedConvolution") continue;
    ++count;
    const bool has_tiles = openvino::best_product_kernel() == openvino::ProductKernel::kAmx;
    EXPECT_EQ(layer.kernel, has_tiles ? "avx512_amx_i8" : "avx512_vnni_i8");
    EXPECT_EQ(layer.precision, "i8");
    ASSERT_EQ(layer.nodes.size(), 1U);
    EXPECT_EQ(graph.node(graph.find(layer.nodes[0])).op, Op::kConv2D);
  }
  EXPECT_EQ(count, 1U);
}

}  // namespace
}  // namespace chexnet_trt::testing
