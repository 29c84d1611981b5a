#include "backends/openvino/stored_convolution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <openvino/op/parameter.hpp>
#include <openvino/runtime/core.hpp>
#include <sstream>

#include "backends/openvino/config.hpp"
#include "backends/openvino/executable.hpp"
#include "backends/openvino/level_convolution.hpp"
#include "backends/openvino/normalised_convolution.hpp"
#include "backends/quantized_exactness.hpp"
#include "backends/quantized_networks.hpp"
#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

class StoredConvolution : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!openvino::LevelConvolution::is_available()) {
      GTEST_SKIP() << "this CPU has no VNNI of 512 bits";
    }
  }
};

constexpr openvino::LoweringOptions kOwn{openvino::SumFusion::kFine, true, nullptr};

Graph quantized(const Graph& network) {
  const Graph graph = optimize(network);
  return quantize(graph,
                  observe_points(graph, reference::random_inputs(graph, kQuantizedImages, 7)));
}

ov::CompiledModel compiled(const Graph& graph, std::int64_t batch) {
  static ov::Core core;
  return core.compile_model(openvino::lower(graph, batch, kOwn), openvino::kDevice,
                            openvino::properties_of(options_for(batch)));
}

/// Also where the backend would leave the convolutions to OpenVINO.
std::unique_ptr<Executable> compile(const Graph& graph, std::int64_t batch) {
  return openvino::make_executable(compiled(graph, batch), "", options_for(batch), nullptr);
}

std::size_t count_in(const Graph& graph, const std::string& type = "LevelConvolution") {
  const auto ops = openvino::lower(graph, 1, kOwn)->get_ops();
  return static_cast<std::size_t>(std::count_if(
      ops.begin(), ops.end(), [&](const auto& node) { return node->get_type_name() == type; }));
}

std::size_t own_count(const Graph& network, const std::string& type = "LevelConvolution") {
  return count_in(quantized(network), type);
}

/// Levels of `channels` channels, a convolution of `kernel` of them to `columns`, and one behind it.
/// `finish` puts something between.
template <typename Finish>
Graph convolution(std::int64_t kernel, std::int64_t width, std::int64_t columns,
                  const ConvAttributes& attributes, Finish finish) {
  QuantizedNetwork net;
  const NodeId x = net.input({kBatch, 9, width, 3});
  const NodeId levels = net.relu(net.bias(net.conv(x, 1, 64)));
  const NodeId y = finish(net, net.conv(levels, kernel, columns, attributes), levels);
  return net.finish(net.conv(y, 1, 8));
}

NodeId biased(QuantizedNetwork& net, NodeId y, NodeId /*levels*/) { return net.bias(y); }
NodeId active(QuantizedNetwork& net, NodeId y, NodeId /*levels*/) { return net.relu(net.bias(y)); }

ConvAttributes padded() {
  ConvAttributes attributes;
  attributes.pads_begin = attributes.pads_end = {1, 1};
  return attributes;
}

TEST_F(StoredConvolution, IsOneNode) {
  EXPECT_EQ(own_count(convolution(1, 7, 32, {}, active)), 1U);
  EXPECT_EQ(own_count(convolution(1, 7, 32, {}, biased)), 1U);
  EXPECT_EQ(own_count(convolution(1, 7, 32, strided_convolution(), active)), 1U);
  EXPECT_EQ(own_count(convolution(3, 16, 64, padded(), active)), 1U);
  EXPECT_EQ(own_count(convolution(3, 7, 256, padded(), active)), 1U);
}

TEST_F(StoredConvolution, OfAWindowThatFewColumnsReadIsOpenVinos) {
  EXPECT_EQ(own_count(convolution(3, 16, 32, padded(), active)), 0U);
  EXPECT_EQ(own_count(convolution(3, 7, 64, padded(), active)), 0U) << "no 16 places side by side";
}

TEST_F(StoredConvolution, OfOtherThanWholeColumnsOrInGroupsIsOpenVinos) {
  EXPECT_EQ(own_count(convolution(1, 7, 40, {}, active)), 0U);
  EXPECT_EQ(own_count(convolution(1, 7, 32, grouped_convolution(), active)), 0U);
  ConvAttributes dilated;
  dilated.dilations = {2, 2};
  EXPECT_EQ(own_count(convolution(3, 16, 256, dilated, active)), 0U);
}

TEST_F(StoredConvolution, ThatIsReadElsewhereIsOpenVinos) {
  const Graph graph = quantized(convolution(1, 7, 32, {}, active));
  for (const Op op : {Op::kConv2D, Op::kActivation}) {
    const auto found =
        std::find_if(graph.nodes().begin(), graph.nodes().end(),
                     [&](const Node& node) { return node.op == op && node.type.shape[3] == 32; });
    ASSERT_NE(found, graph.nodes().end());
    Graph read = graph;
    read.add_output("also", graph.find(found->name));
    EXPECT_EQ(count_in(read), 0U) << found->name;
  }
}

/// Bottlenecks of 64 and 128 channels, with a projection and a stride.
Graph residual() {
  QuantizedNetwork net;
  NodeId x = net.same_conv(net.input({kBatch, 32, 32, 3}), 7, 32);
  x = net.pool(Op::kMaxPool, x, 3, 2, 1);
  const auto block = [&](NodeId image, bool projects, std::int64_t stride) {
    const NodeId normal = net.relu(net.norm(image));
    ConvAttributes strides;
    strides.strides = {stride, stride};
    const NodeId shortcut = projects ? net.conv(normal, 1, 128, strides) : image;
    ConvAttributes spread = padded();
    spread.strides = {stride, stride};
    const NodeId reduced = net.relu(net.bias(net.conv(normal, 1, 64)));
    const NodeId wide = net.relu(net.bias(net.conv(reduced, 3, 64, spread)));
    return net.add(net.conv(wide, 1, 128), shortcut);
  };
  x = block(x, true, 1);
  x = block(x, false, 1);
  x = block(x, false, 1);
  x = block(x, true, 2);
  x = block(x, false, 1);
  return net.finish(net.dense(net.mean(net.relu(net.norm(x))), 14));
}

TEST_F(StoredConvolution, TakesEveryConvolutionOfAResidualNetworkButTheFirst) {
  // Five blocks of three and two projections; three read a sum through its normalisation.
  const Graph graph = quantized(residual());
  EXPECT_EQ(count_in(graph, "NormalisedConvolution"), 3U);
  EXPECT_EQ(count_in(graph, "Convolution"), 1U + 2U) << "of 8 places side by side";
  EXPECT_EQ(count_in(graph), 17U - 3U - 2U);
}

TEST_F(StoredConvolution, LeavesNoSumForOpenVinoToFuse) {
  const Graph graph = quantized(residual());
  std::vector<openvino::FusedSum> sums;
  openvino::lower(graph, 1, {openvino::SumFusion::kCoarse, true, &sums});
  EXPECT_TRUE(sums.empty());
  openvino::lower(graph, 1, {openvino::SumFusion::kCoarse, false, &sums});
  EXPECT_EQ(sums.size(), 5U);
}

TEST_F(StoredConvolution, IsExact) {
  expect_exact(compile, residual());
  expect_exact(compile, convolution(3, 16, 64, padded(), active));
  expect_exact(compile, convolution(3, 7, 256, padded(), biased));
  expect_exact(compile, convolution(1, 7, 32, strided_convolution(), biased));
  expect_exact(compile, quantized_small_resnet());
  expect_exact(compile, quantized_small_densenet());
}

TEST_F(StoredConvolution, OfAnImageThatAPoolMakesIsExact) {
  QuantizedNetwork net;
  const NodeId x = net.relu(net.bias(net.conv(net.input({kBatch, 9, 7, 3}), 1, 64)));
  const NodeId pooled = net.pool(Op::kMaxPool, net.relu(net.bias(net.conv(x, 1, 64))), 3, 2, 1);
  expect_exact(compile, net.finish(net.conv(net.relu(net.bias(net.conv(pooled, 1, 32))), 1, 8)));
}

NodeId stored(Graph& graph, NodeId x, float step, ElementType element) {
  const std::string name = graph.node(x).name;
  const NodeId scale = graph.add_constant(name + "/scale", Tensor::from_floats({}, {step}));
  const NodeId levels =
      graph.add(Op::kQuantize, name + "/quantize", {x, scale}, QuantizeAttributes{element});
  return graph.add(Op::kDequantize, name + "/dequantize", {levels, scale}, AxisAttributes{});
}

TEST_F(StoredConvolution, ChannelsFirstIsExact) {
  constexpr float kStep = 0.05F;
  constexpr std::int64_t kColumns = 64;
  Graph graph;
  const NodeId x =
      graph.add_input("x", {ElementType::kFloat32, {kBatch, 64, 5, 16}}, TensorLayout::kNchw);
  const NodeId image = stored(graph, x, 1.0F / 255, ElementType::kUInt8);
  const NodeId levels = graph.add_constant(
      "w/levels", tensor_from_doubles(ElementType::kInt8, {3, 3, 64, kColumns}, [] {
        std::vector<double> values = reference::random_values(9 * 64 * kColumns, 3);
        for (double& value : values) value = std::round(127 * value);
        return values;
      }()));
  const NodeId scales = graph.add_constant(
      "w/scales", Tensor::from_floats({kColumns}, std::vector<float>(kColumns, 0.001F)));
  const NodeId weights = graph.add(Op::kDequantize, "w", {levels, scales}, AxisAttributes{3});
  ConvAttributes attributes = padded();
  attributes.layout = TensorLayout::kNchw;
  const NodeId conv = graph.add(Op::kConv2D, "conv", {image, weights}, attributes);
  const NodeId bias = random_constant(graph, "bias", {kColumns, 1, 1});
  const NodeId sum =
      graph.add(Op::kBinary, "sum", {conv, bias}, BinaryAttributes{BinaryKind::kAdd});
  graph.add_output("y", stored(graph, sum, kStep, ElementType::kInt8));
  EXPECT_EQ(count_in(graph), 1U);
  const Arrays inputs = reference::random_inputs(graph, 2, 7);
  Comparison total;
  compare(run(*compile(graph, 2), graph, 2, inputs).back(),
          reference::interpret(graph, 2, inputs).back(), kStep, total);
  expect_exact(total, "the stored value");
}

TEST_F(StoredConvolution, EndsWhatOpenVinoLooksThroughAtAParameter) {
  std::size_t count = 0;
  for (const auto& node : openvino::lower(quantized(residual()), 1, kOwn)->get_ops()) {
    if (!ov::is_type<openvino::LevelConvolution>(node)) continue;
    ++count;
    const ov::OutputVector inputs = node->input_values();
    EXPECT_TRUE(std::any_of(inputs.begin(), inputs.end(), [](const auto& input) {
      return ov::is_type<ov::op::v0::Parameter>(input.get_node());
    })) << node->get_friendly_name();
  }
  EXPECT_EQ(count, 12U);
}

TEST_F(StoredConvolution, IsInWhatTheExecutableSerializes) {
  const Graph graph = quantized(convolution(3, 7, 256, strided_convolution(), active));
  ASSERT_EQ(count_in(graph), 1U);
  ov::Core core;
  core.add_extension<openvino::LevelConvolution>();
  std::stringstream blob;
  compiled(graph, 2).export_model(blob);
  const auto imported = openvino::make_executable(
      core.import_model(blob, openvino::kDevice, openvino::properties_of(options_for(2))), "",
      options_for(2), nullptr);
  const Arrays inputs = reference::random_inputs(graph, 2, 7);
  EXPECT_EQ(run(*imported, graph, 2, inputs), run(*compile(graph, 2), graph, 2, inputs));
}

TEST_F(StoredConvolution, IsNamedAmongTheLayersByItsConvolution) {
  const Graph graph = quantized(convolution(1, 7, 32, {}, active));
  std::size_t count = 0;
  for (const LayerInfo& layer : compile(graph, 1)->layers()) {
    EXPECT_NE(layer.type, "Reference") << layer.name;
    if (layer.type != "LevelConvolution") continue;
    ++count;
    EXPECT_EQ(layer.precision, "i8");
    ASSERT_EQ(layer.nodes.size(), 1U);
    EXPECT_EQ(graph.node(graph.find(layer.nodes[0])).op, Op::kConv2D);
  }
  EXPECT_EQ(count, 1U);
}

}  // namespace
}  // namespace chexnet_trt::testing
