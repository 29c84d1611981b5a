#include "backends/openvino/normalised_image.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "backends/openvino/concat_normalise.hpp"
#include "backends/quantized_exactness.hpp"
#include "backends/quantized_networks.hpp"
#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;

class NormalisedImage : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!openvino::ConcatNormalise::is_available()) GTEST_SKIP() << "this CPU has no AVX-512";
    const auto precisions = backend("openvino").precisions();
    if (std::find(precisions.begin(), precisions.end(), Precision::kInt8) == precisions.end()) {
      GTEST_SKIP() << "this CPU has neither VNNI nor AMX: sums of int8 products saturate";
    }
  }
};

NodeId scalar(Graph& graph, const std::string& name, float value) {
  return graph.add_constant(name, Tensor::from_floats({}, {value}));
}

NodeId stored(Graph& graph, NodeId x, float scale, ElementType element = ElementType::kInt8) {
  const std::string name = graph.node(x).name;
  const NodeId s = scalar(graph, name + "/scale", scale);
  const NodeId q =
      graph.add(Op::kQuantize, name + "/quantize", {x, s}, QuantizeAttributes{element});
  return graph.add(Op::kDequantize, name + "/dequantize", {q, s}, AxisAttributes{});
}

NodeId conv(Graph& graph, const std::string& name, NodeId x) {
  const std::int64_t channels = graph.node(x).type.shape[3];
  const NodeId weights = random_constant(graph, name + "/weights", {1, 1, channels, 5});
  return graph.add(Op::kConv2D, name, {x, weights}, ConvAttributes{});
}

NodeId normalised(Graph& graph, const std::string& name, NodeId x) {
  const std::int64_t channels = graph.node(x).type.shape[3];
  const NodeId by = random_constant(graph, name + "/by", {channels}, 3);
  const NodeId plus = random_constant(graph, name + "/plus", {channels}, 4);
  const NodeId scaled =
      graph.add(Op::kBinary, name + "/scaled", {x, by}, BinaryAttributes{BinaryKind::kMul});
  const NodeId shifted =
      graph.add(Op::kBinary, name + "/shifted", {scaled, plus}, BinaryAttributes{BinaryKind::kAdd});
  return graph.add(Op::kActivation, name, {shifted}, ActivationAttributes{ActivationKind::kRelu});
}

/// Two images, stored in steps of these scales and joined, then what `finish` makes of that.
template <typename Finish>
Graph joined(float a, float b, Finish finish) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 6, 7, 3}}, TensorLayout::kNhwc);
  const NodeId left = stored(graph, conv(graph, "left", x), a);
  const NodeId right = stored(graph, conv(graph, "right", x), b);
  const NodeId both = graph.add(Op::kConcat, "both", {left, right}, AxisAttributes{3});
  finish(graph, both);
  return graph;
}

void requantize(Graph& graph, NodeId both, float step = 0.004F) {
  const NodeId relu = normalised(graph, "relu", both);
  graph.add_output("y", stored(graph, relu, step, ElementType::kUInt8));
}

void expect_within_a_step(const Graph& graph, double step) {
  const Arrays inputs = reference::random_inputs(graph, 3, 7);
  const auto executable = backend("openvino").compile(graph, options_for(3));
  Comparison total;
  compare(run(*executable, graph, 3, inputs).back(), reference::interpret(graph, 3, inputs).back(),
          step, total);
  expect_exact(total, "requantised");
}

TEST_F(NormalisedImage, OfImagesStoredInStepsOfOneSizeHasNoConcat) {
  const Graph graph = joined(0.01F, 0.01F, [](Graph& g, NodeId both) { requantize(g, both); });
  EXPECT_EQ(count_of(graph, "ConcatNormalise"), 1U);
  EXPECT_EQ(count_of(graph, "Concat"), 0U);
  expect_within_a_step(graph, 0.004);
}

TEST_F(NormalisedImage, OfOtherStepsIsMadeByPlainNodes) {
  const Graph graph = joined(0.01F, 0.02F, [](Graph& g, NodeId both) { requantize(g, both); });
  EXPECT_EQ(count_of(graph, "ConcatNormalise"), 0U);
  EXPECT_EQ(count_of(graph, "Concat"), 1U);
  expect_within_a_step(graph, 0.004);
}

TEST_F(NormalisedImage, BeyondInt32InItsStepsIsMadeByPlainNodes) {
  constexpr float kStep = 1e-12F;
  const Graph graph =
      joined(0.01F, 0.01F, [](Graph& g, NodeId both) { requantize(g, both, kStep); });
  EXPECT_EQ(count_of(graph, "ConcatNormalise"), 0U);
  expect_within_a_step(graph, kStep);
}

TEST_F(NormalisedImage, OfAConcatThatALayerReadsTooIsMadeByPlainNodes) {
  const Graph graph = joined(0.01F, 0.01F, [](Graph& g, NodeId both) {
    g.add_output("z", conv(g, "z", both));
    requantize(g, both);
  });
  EXPECT_EQ(count_of(graph, "ConcatNormalise"), 0U);
  expect_within_a_step(graph, 0.004);
}

TEST_F(NormalisedImage, SharesWhatIsStoredWithTheNextConcat) {
  const Graph graph = joined(0.01F, 0.01F, [](Graph& g, NodeId both) {
    const NodeId relu = stored(g, normalised(g, "inner", both), 0.004F, ElementType::kUInt8);
    const NodeId more = stored(g, conv(g, "more", relu), 0.01F);
    requantize(g, g.add(Op::kConcat, "all", {both, more}, AxisAttributes{3}));
  });
  EXPECT_EQ(count_of(graph, "ConcatNormalise"), 2U);
  EXPECT_EQ(count_of(graph, "FakeQuantize"), 3U);
  expect_within_a_step(graph, 0.004);
}

TEST_F(NormalisedImage, ThatStandsAloneStaysAFakeQuantize) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 6, 7, 3}}, TensorLayout::kNhwc);
  requantize(graph, stored(graph, conv(graph, "alone", x), 0.01F));
  EXPECT_EQ(count_of(graph, "ConcatNormalise"), 0U);
  EXPECT_EQ(count_of(graph, "FakeQuantize"), 2U);
}

Graph small_densenet() {
  const Graph graph = optimize(quantized_small_densenet());
  const Arrays inputs = reference::random_inputs(graph, kQuantizedImages, 7);
  return quantize(graph, observe_points(graph, inputs));
}

TEST_F(NormalisedImage, LeavesNoConcatInADenseNetAndIsNamedAmongItsLayers) {
  const Graph graph = small_densenet();
  EXPECT_EQ(count_of(graph, "Concat"), 0U);
  const auto layers = backend("openvino").compile(graph, options_for(1))->layers();
  std::size_t count = 0;
  for (const LayerInfo& layer : layers) {
    EXPECT_NE(layer.type, "Reference") << layer.name;
    if (layer.type != "ConcatNormalise") continue;
    ++count;
    EXPECT_EQ(layer.kernel, "avx512_i8");
    ASSERT_EQ(layer.nodes.size(), 1U);
    EXPECT_EQ(graph.node(graph.find(layer.nodes[0])).op, Op::kQuantize);
  }
  EXPECT_EQ(count, count_of(graph, "ConcatNormalise"));
  EXPECT_GT(count, 0U);
}

TEST_F(NormalisedImage, SurvivesABlob) {
  const Graph graph = small_densenet();
  const Arrays inputs = reference::random_inputs(graph, 1, 7);
  const auto compiled = backend("openvino").compile(graph, options_for(1));
  const std::vector<std::byte> blob = compiled->serialize();
  const auto imported =
      backend("openvino").deserialize({blob.data(), blob.size()}, graph, options_for(1));
  EXPECT_EQ(run(*imported, graph, 1, inputs), run(*compiled, graph, 1, inputs));
  EXPECT_EQ(imported->layers().size(), compiled->layers().size());
}

TEST_F(NormalisedImage, IsTheSameWithAnyThreadsAndInExecutionsAtOnce) {
  const Graph graph = small_densenet();
  const Arrays inputs = reference::random_inputs(graph, 1, 7);
  CompileOptions options = options_for(1);
  options.threads = 1;
  const Arrays alone = run(*backend("openvino").compile(graph, options), graph, 1, inputs);
  options.threads = 2;
  options.streams = 2;
  const auto executable = backend("openvino").compile(graph, options);
  std::vector<std::unique_ptr<Execution>> executions;
  for (int i = 0; i < 4; ++i) executions.push_back(executable->create_execution());
  std::vector<Arrays> results(executions.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < executions.size(); ++i) {
    threads.emplace_back([&, i] {
      Buffers buffers(graph, 1);
      buffers.fill(inputs);
      for (int again = 0; again < 5; ++again) {
        executions[i]->enqueue(buffers.bindings(), nullptr);
        executions[i]->wait();
      }
      results[i] = buffers.outputs();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Arrays& result : results) EXPECT_EQ(result, alone);
}

}  // namespace
}  // namespace chexnet_trt::testing
