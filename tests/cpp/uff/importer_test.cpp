#include "uff/importer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/error.hpp"
#include "reference/interpreter.hpp"
#include "uff/meta_builder.hpp"

namespace chexnet_trt::uff {
namespace {

using Ints = std::vector<std::int64_t>;
using reference::interpret;
using reference::random_inputs;

/// The text of the InputError that parsing raises.
std::string error_of(const MetaGraph& meta, const UffParser& parser = {}) {
  try {
    parser.parse(meta);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

std::vector<float> floats(std::size_t count, unsigned seed) {
  const std::vector<double> values = reference::random_values(count, seed);
  return {values.begin(), values.end()};
}

std::vector<double> single_output(const chexnet_trt::Graph& graph, std::vector<double> input,
                                  std::int64_t batch = 1) {
  return interpret(graph, batch, {std::move(input)}).at(0);
}

/// conv3x3 SAME stride 2 in `layout` on an input of the file's `shape`.
MetaBuilder convolution(const std::string& layout, const Ints& shape) {
  MetaBuilder builder;
  builder.input("x", shape)
      .floats("w", {3, 3, 3, 2}, floats(54, 1))
      .node("Conv", "y", {"x", "w"},
            {{"strides", Ints{2, 2}},
             {"dilation", Ints{1, 1}},
             {"inputs_orders", builder.orders({layout, "+CK"})},
             {"implicit_padding", builder.text("same")}})
      .output("y");
  return builder;
}

TEST(Importer, ChannelsFirstBindingOfAnNhwcNetworkIsTransposed) {
  MetaBuilder builder = convolution("N+C", {-1, -1, -1, 3});
  UffParser first;
  first.register_input("x", {3, 6, 8});
  const chexnet_trt::Graph nchw = first.parse(builder.meta());
  UffParser last;
  last.register_input("x", {6, 8, 3}, UffInputOrder::kNHWC);
  const chexnet_trt::Graph nhwc = last.parse(builder.meta());
  EXPECT_EQ(nchw.node(0).type.shape, (Shape{kBatch, 3, 6, 8}));
  EXPECT_EQ(nhwc.node(0).type.shape, (Shape{kBatch, 6, 8, 3}));
  EXPECT_EQ(nhwc.find("x/nhwc"), -1);
  ASSERT_EQ(nhwc.outputs().size(), 1U);
  EXPECT_EQ(nhwc.outputs()[0].name, "y");
  EXPECT_EQ(nhwc.node(nhwc.outputs()[0].value).type.shape, (Shape{kBatch, 3, 4, 2}));

  const std::vector<double> chw = random_inputs(nchw, 1, 5)[0];
  std::vector<double> hwc(chw.size());
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t p = 0; p < 48; ++p) hwc[p * 3 + c] = chw[c * 48 + p];
  }
  EXPECT_EQ(single_output(nchw, chw), single_output(nhwc, hwc));
}

TEST(Importer, NchwNetworkTakesTheBindingAsItIs) {
  MetaBuilder builder = convolution("NC+", {-1, 3, 6, 8});
  UffParser parser;
  parser.register_input("x", {3, 6, 8});
  const chexnet_trt::Graph graph = parser.parse(builder.meta());
  EXPECT_EQ(graph.find("x/nhwc"), -1);
  EXPECT_EQ(graph.node(graph.outputs()[0].value).type.shape, (Shape{kBatch, 2, 3, 4}));
}

TEST(Importer, RefusesAnotherSizeThanTheFiles) {
  MetaBuilder builder = convolution("N+C", {-1, 6, 8, 3});
  UffParser smaller;
  smaller.register_input("x", {3, 6, 7});
  expect_contains(error_of(builder.meta(), smaller), "'x' is [?, 6, 8, 3] in the file");
  UffParser turned;
  turned.register_input("x", {3, 8, 6});
  expect_contains(error_of(builder.meta(), turned), "the size that the network was exported with");
  UffParser same;
  same.register_input("x", {3, 6, 8});
  EXPECT_EQ(error_of(builder.meta(), same), "no error");
}

TEST(Importer, LooksThroughAnExplicitTranspose) {
  MetaBuilder builder;
  builder.input("x", {-1, 6, 8, 3})
      .node("Transpose", "t", {"x"}, {{"permutation", Ints{0, 3, 1, 2}}})
      .floats("w", {1, 1, 3, 2}, floats(6, 1))
      .node("Conv", "y", {"t", "w"}, {{"inputs_orders", builder.orders({"NC+", "+CK"})}})
      .output("y");
  UffParser parser;
  parser.register_input("x", {3, 6, 8});
  const chexnet_trt::Graph graph = parser.parse(builder.meta());
  EXPECT_GE(graph.find("x/nhwc"), 0);
  EXPECT_EQ(graph.node(graph.outputs()[0].value).type.shape, (Shape{kBatch, 2, 6, 8}));
}

TEST(Importer, SameMatchesTensorFlowsAsymmetricPads) {
  MetaBuilder builder = convolution("N+C", {1, 6, 8, 3});
  const chexnet_trt::Graph graph = UffParser().parse(builder.meta());
  const auto& conv = std::get<ConvAttributes>(graph.node(graph.find("y")).attributes);
  EXPECT_EQ(conv.pads_begin, (Spatial{0, 0}));
  EXPECT_EQ(conv.pads_end, (Spatial{1, 1}));
  EXPECT_EQ(graph.node(0).type.shape, (Shape{kBatch, 6, 8, 3}));
}

TEST(Importer, WeightsAreUsedInPlace) {
  MetaBuilder builder = convolution("N+C", {-1, 6, 8, 3});
  const chexnet_trt::Graph graph = UffParser().parse(builder.meta());
  const Blob blob = std::get<Blob>(*find(builder.meta().referenced_data, "weights_w"));
  EXPECT_EQ(graph.constant(graph.find("w"))->bytes().data, blob.bytes.data);
}

TEST(Importer, DepthwiseWeightsBecomeGroups) {
  MetaBuilder builder;
  builder.input("x", {-1, 2, 2, 2})
      .floats("w", {1, 1, 2, 2}, {1, 2, 3, 4})
      .node("Conv", "y", {"x", "w"},
            {{"number_groups", std::int64_t{2}}, {"inputs_orders", builder.orders({"N+C", "+CK"})}})
      .output("y");
  const chexnet_trt::Graph graph = UffParser().parse(builder.meta());
  const std::vector<double> y = single_output(graph, {1, 10, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ((std::vector<double>(y.begin(), y.begin() + 4)), (std::vector<double>{1, 2, 30, 40}));
}

TEST(Importer, WeightsInAnotherOrderAndThroughExpandDims) {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  MetaBuilder stored;
  stored.input("x", {-1, 1, 1, 3})
      .floats("w0", {2, 3, 1}, values)
      .node("ExpandDims", "w", {"w0"}, {{"axis", std::int64_t{-1}}})
      .node("Conv", "y", {"x", "w"}, {{"inputs_orders", stored.orders({"N+C", "KC+"})}})
      .output("y");
  const chexnet_trt::Graph graph = UffParser().parse(stored.meta());
  EXPECT_EQ(single_output(graph, {1, 10, 100}), (std::vector<double>{321, 654}));
}

TEST(Importer, PoolPaddingIsAPadOfZeros) {
  MetaBuilder builder;
  builder.input("x", {-1, 1, 1, 1})
      .node("Pool", "y", {"x"},
            {{"func", builder.text("avg")},
             {"kernel", Ints{3, 3}},
             {"strides", Ints{1, 1}},
             {"padding", Ints{1, 1}},
             {"inputs_orders", builder.orders({"N+C"})}})
      .node("Pool", "z", {"x"},
            {{"func", builder.text("avg")},
             {"kernel", Ints{3, 3}},
             {"strides", Ints{1, 1}},
             {"implicit_padding", builder.text("same")},
             {"inputs_orders", builder.orders({"N+C"})}})
      .output("y")
      .output("z");
  const chexnet_trt::Graph graph = UffParser().parse(builder.meta());
  const auto results = interpret(graph, 1, {{9}});
  EXPECT_EQ(results[0], std::vector<double>{1});
  EXPECT_EQ(results[1], std::vector<double>{9});
}

TEST(Importer, ConvTransposeTakesItsSizeFromTheShapeOperand) {
  MetaBuilder builder;
  builder.input("x", {-1, 2, 2, 1})
      .floats("w", {2, 2, 1, 1}, {1, 2, 3, 4})
      .node("Shape", "s", {"x"})
      .ints("zero", {1}, {0})
      .ints("one", {1}, {1})
      .node("StridedSlice", "n", {"s", "zero", "one", "one"},
            {{"begin_mask", std::int64_t{0}},
             {"end_mask", std::int64_t{0}},
             {"shrink_axis_mask", std::int64_t{1}}})
      .ints("h", {}, {4})
      .ints("c", {}, {1})
      .node("Stack", "sizes", {"n", "h", "h", "c"}, {{"axis", std::int64_t{0}}})
      .node("ConvTranspose", "y", {"x", "w", "sizes"},
            {{"strides", Ints{2, 2}}, {"inputs_orders", builder.orders({"N+C", "+KC"})}})
      .output("y");
  const chexnet_trt::Graph graph = UffParser().parse(builder.meta());
  EXPECT_EQ(single_output(graph, {1, 0, 0, 10}),
            (std::vector<double>{1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 10, 20, 0, 0, 30, 40}));
}

TEST(Importer, BatchNormLrnSoftmaxReduceFollowTensorFlow) {
  MetaBuilder builder;
  builder.input("x", {-1, 1, 1, 2})
      .floats("gamma", {2}, {2, 1})
      .floats("beta", {2}, {0, 1})
      .floats("mean", {2}, {1, 0})
      .floats("variance", {2}, {3, 0})
      .node("BatchNorm", "bn", {"x", "gamma", "beta", "mean", "variance"},
            {{"epsilon", 1.0}, {"inputs_orders", builder.orders({"N+C"})}})
      .node("LRN", "lrn", {"x"},
            {{"window_size", std::int64_t{1}},
             {"alpha", 0.5},
             {"beta", 1.0},
             {"k", 1.0},
             {"inputs_orders", builder.orders({"NC+"})}})
      .node("Reduce", "mean2", {"x"},
            {{"func", builder.text("mean")}, {"axes", Ints{2, 1}}, {"keepdims", false}})
      .node("Softmax", "soft", {"mean2"},
            {{"axis", std::int64_t{0}}, {"inputs_orders", builder.orders({"N+C"})}})
      .node("ArgMax", "arg", {"soft"}, {{"axis", std::int64_t{-1}}});
  for (const char* name : {"bn", "lrn", "soft", "arg"}) builder.output(name);
  const chexnet_trt::Graph graph = UffParser().parse(builder.meta());
  const auto results = interpret(graph, 1, {{3, 4}});
  EXPECT_EQ(results[0], (std::vector<double>{2, 5}));
  EXPECT_EQ(results[1], (std::vector<double>{3 / 13.5, 4 / 13.5}));
  EXPECT_NEAR(results[2][1], 1 / (1 + std::exp(-1.0)), 1e-12);
  EXPECT_EQ(results[3], std::vector<double>{1});
  EXPECT_EQ(graph.node(graph.outputs()[2].value).type.shape, (Shape{kBatch, 2}));
}

/// x -> Shape -> StridedSlice -> Stack(batch, -1) -> Reshape -> FullyConnected.
MetaBuilder dense_behind_reshape() {
  MetaBuilder builder;
  builder.input("x", {-1, 2, 2, 1})
      .node("Shape", "shape", {"x"})
      .ints("zero", {1}, {0})
      .ints("one", {1}, {1})
      .node("StridedSlice", "batch", {"shape", "zero", "one", "one"},
            {{"begin_mask", std::int64_t{0}},
             {"end_mask", std::int64_t{0}},
             {"shrink_axis_mask", std::int64_t{1}}})
      .ints("rest", {}, {-1})
      .node("Stack", "target", {"batch", "rest"}, {{"axis", std::int64_t{0}}})
      .node("Reshape", "flat", {"x", "target"})
      .floats("w", {4, 1}, {1, 10, 100, 1000})
      .node("FullyConnected", "y", {"flat", "w"},
            {{"inputs_orders", builder.orders({"NC", "CK"})}});
  return builder;
}

TEST(Importer, TheBatchSizeTravelsThroughShapeArithmetic) {
  MetaBuilder builder = dense_behind_reshape();
  builder.output("y");
  const chexnet_trt::Graph graph = UffParser().parse(builder.meta());
  EXPECT_EQ(interpret(graph, 2, {{1, 2, 3, 4, 5, 6, 7, 8}})[0], (std::vector<double>{4321, 8765}));
  EXPECT_EQ(graph.find("shape"), -1);
}

TEST(Importer, ArithmeticOnTheBatchSizeIsAnErrorThatNamesTheNode) {
  MetaBuilder builder = dense_behind_reshape();
  builder.ints("two", {}, {2})
      .node("Binary", "twice", {"batch", "two"}, {{"func", builder.text("mul")}})
      .output("twice");
  const std::string error = error_of(builder.meta());
  expect_contains(error, "'twice'");
  expect_contains(error, "batch size");
}

TEST(Importer, StridedSliceFollowsTensorFlow) {
  MetaBuilder builder;
  builder.input("x", {-1, 5})
      .ints("begin", {2}, {0, -1})
      .ints("end", {2}, {0, 0})
      .ints("strides", {2}, {1, -2})
      .node("StridedSlice", "y", {"x", "begin", "end", "strides"},
            {{"begin_mask", std::int64_t{1}},
             {"end_mask", std::int64_t{3}},
             {"shrink_axis_mask", std::int64_t{0}}})
      .ints("cut", {2}, {1, 0})
      .node("StridedSlice", "z", {"x", "cut", "end", "strides"},
            {{"begin_mask", std::int64_t{0}},
             {"end_mask", std::int64_t{3}},
             {"shrink_axis_mask", std::int64_t{0}}})
      .output("y");
  EXPECT_EQ(single_output(UffParser().parse(builder.meta()), {1, 2, 3, 4, 5}),
            (std::vector<double>{5, 3, 1}));
  UffParser cutting;
  cutting.register_output("z");
  expect_contains(error_of(builder.meta(), cutting), "cuts the batch");
}

TEST(Importer, ShapeOpsBecomeReshapesAndConcats) {
  MetaBuilder builder;
  builder.input("x", {-1, 1, 1, 4})
      .node("Squeeze", "q", {"x"}, {{"axes", Ints{1, -2}}})
      .node("ExpandDims", "e", {"q"}, {{"axis", std::int64_t{-1}}})
      .node("Stack", "s", {"q", "q"}, {{"axis", std::int64_t{-1}}})
      .node("Concat", "c", {"e", "e"}, {{"axis", std::int64_t{-1}}})
      .node("Flatten", "f", {"c"})
      .output("s")
      .output("f");
  const chexnet_trt::Graph graph = UffParser().parse(builder.meta());
  const auto results = interpret(graph, 1, {{1, 2, 3, 4}});
  const std::vector<double> doubled{1, 1, 2, 2, 3, 3, 4, 4};
  EXPECT_EQ(results[0], doubled);
  EXPECT_EQ(results[1], doubled);
  EXPECT_EQ(graph.node(graph.outputs()[1].value).type.shape, (Shape{kBatch, 8}));
}

TEST(Importer, PadGatherCastAndHalfConstants) {
  MetaBuilder builder;
  builder.input("x", {-1, 2})
      .ints("pads", {2, 2}, {0, 0, 1, 0})
      .node("Pad", "p", {"x", "pads"})
      .constant("half", {3}, std::vector<std::uint16_t>{0x3C00, 0x4000, 0x3C00}, DataType::kFloat16)
      .node("Binary", "m", {"p", "half"}, {{"func", builder.text("mul")}})
      .constant("picks", {2}, std::vector<std::int16_t>{2, 1}, DataType::kInt16)
      .node("GatherV2", "g", {"m", "picks"}, {{"axis", std::int64_t{-1}}})
      .node("_Cast", "y", {"g"}, {{"DstT", DataType::kFloat32}})
      .output("y");
  EXPECT_EQ(single_output(UffParser().parse(builder.meta()), {5, 7}), (std::vector<double>{7, 10}));
}

TEST(Importer, OldCustomSpellingsOfCoreOps) {
  MetaBuilder builder;
  builder.input("x", {-1, 2, 2, 1})
      .node("_MaxPool", "pool", {"x"},
            {{"ksize", Ints{1, 2, 2, 1}},
             {"strides", Ints{1, 2, 2, 1}},
             {"padding", builder.text("b'VALID'")},
             {"data_format", builder.text("b'NHWC'")}})
      .floats("one", {1}, {1})
      .node("_AddV2", "sum", {"pool", "one"})
      .node("_FusedBatchNormV3", "bn", {"sum", "one", "one", "one", "one"},
            {{"epsilon", 3.0}, {"is_training", false}, {"data_format", builder.text("b'NHWC'")}})
      .node("_LeakyRelu", "leaky", {"bn"}, {{"alpha", 0.5}})
      .node("_StopGradient", "y", {"leaky"})
      .output("y");
  EXPECT_EQ(single_output(UffParser().parse(builder.meta()), {-9, -7, -11, -13}),
            std::vector<double>{-1.25});
}

TEST(Importer, ListsEveryUnsupportedNode) {
  MetaBuilder builder;
  builder.input("x", {-1, 4})
      .node("_TopKV2", "top", {"x"})
      .node("Unary", "odd", {"x"}, {{"func", builder.text("erf")}})
      .node("Binary", "sum", {"top", "odd"}, {{"func", builder.text("add")}})
      .node("_Where", "unreachable", {"x"})
      .output("sum");
  const std::string error = error_of(builder.meta());
  expect_contains(error, "2 nodes of the network cannot be imported: node 'top' (_TopKV2): ");
  expect_contains(error, "; node 'odd' (Unary): the function 'erf'");
  EXPECT_EQ(error.find("unreachable"), std::string::npos);
}

TEST(Importer, TrainingModeBatchNormIsExplained) {
  MetaBuilder builder;
  builder.input("x", {-1, 2, 2, 1})
      .floats("one", {1}, {1})
      .floats("empty", {0}, {})
      .node("BatchNorm", "bn", {"x", "one", "one", "empty", "empty"},
            {{"epsilon", 1.0}, {"inputs_orders", builder.orders({"N+C"})}})
      .output("bn");
  expect_contains(error_of(builder.meta()), "training mode");
}

TEST(Importer, InputsMustBeKnownOrRegistered) {
  MetaBuilder builder;
  builder.input("a", {})
      .input("b", {-1, -1})
      .node("Binary", "y", {"a", "b"}, {{"func", builder.text("add")}});
  builder.output("y");
  const std::string error = error_of(builder.meta());
  expect_contains(error, "'a', 'b'");
  expect_contains(error, "--uffInput");
  UffParser wrong;
  wrong.register_input("c", {3, 8, 8});
  expect_contains(error_of(builder.meta(), wrong), "no input 'c'");
  UffParser right;
  right.register_input("a", {5}, UffInputOrder::kNC);
  right.register_input("b", {5}, UffInputOrder::kNC);
  EXPECT_EQ(right.parse(builder.meta()).inputs().size(), 2U);
}

TEST(Importer, WrongInputSizeIsSuspectedWhenAReshapeMixesImages) {
  MetaBuilder builder;
  builder.input("x", {-1, 7, 7, 8})
      .ints("target", {2}, {-1, 8})
      .node("Reshape", "y", {"x", "target"})
      .output("y");
  expect_contains(error_of(builder.meta()), "--uffInput");
}

TEST(Importer, OutputsByNodeByMarkOrAll) {
  MetaBuilder builder;
  builder.input("x", {-1, 4})
      .node("Identity", "same", {"x"})
      .node("Activation", "y", {"same"}, {{"func", builder.text("relu")}})
      .output("y");
  EXPECT_EQ(UffParser().parse(builder.meta()).outputs()[0].name, "y");
  UffParser both;
  both.register_output("MarkOutput_0");
  both.register_output("same");
  const chexnet_trt::Graph graph = both.parse(builder.meta());
  EXPECT_EQ(graph.outputs()[0].name, "MarkOutput_0");
  EXPECT_EQ(graph.outputs()[1].name, "same");
  EXPECT_THROW(both.register_output("same"), InputError);
  UffParser wrong;
  wrong.register_output("z");
  expect_contains(error_of(builder.meta(), wrong), "'y'");
  builder.output("y");
  expect_contains(error_of(builder.meta()), "two outputs are called 'y'");
}

TEST(Importer, BrokenNetworksAreInputErrors) {
  MetaBuilder cycle;
  cycle.node("Identity", "a", {"b"}).node("Identity", "b", {"a"}).output("a");
  expect_contains(error_of(cycle.meta()), "cycle");

  MetaBuilder missing;
  missing.node("Identity", "a", {"nowhere"}).output("a");
  expect_contains(error_of(missing.meta()), "'nowhere'");

  MetaBuilder twice;
  twice.input("a", {-1, 2}).input("a", {-1, 2}).output("a");
  expect_contains(error_of(twice.meta()), "second node");

  MetaBuilder empty;
  empty.meta().graphs.clear();
  expect_contains(error_of(empty.meta()), "0 graphs");

  MetaBuilder outputless;
  outputless.input("a", {-1, 2});
  expect_contains(error_of(outputless.meta()), "--output");
}

TEST(Importer, HostileNumbersAreInputErrors) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  const auto reject = [](const MetaBuilder::NodeFields& fields, const std::string& operation) {
    MetaBuilder builder;
    MetaBuilder::NodeFields all = fields;
    all.emplace_back("inputs_orders", builder.orders({"N+C"}));
    builder.input("x", {-1, 8, 8, 4}).node(operation, "y", {"x"}, all).output("y");
    EXPECT_THROW(UffParser().parse(builder.meta()), InputError);
  };
  const std::string_view max = "max";
  reject({{"func", max}, {"kernel", Ints{kHuge, 1}}, {"strides", Ints{1, 1}}}, "Pool");
  reject({{"func", max}, {"kernel", Ints{0x7FFFFFFF, 1}}, {"strides", Ints{1, 1}}}, "Pool");
  reject({{"func", max}, {"kernel", Ints{2, 2}}, {"strides", Ints{0, 0}}}, "Pool");
  reject({{"func", max}, {"kernel", Ints{2}}, {"strides", Ints{1, 1}}}, "Pool");
  reject({{"func", max}, {"kernel", std::int64_t{2}}}, "Pool");
  reject({{"func", std::int64_t{1}}}, "Pool");
  reject({{"axis", std::int64_t{9}}}, "ArgMax");
  reject({{"axis", std::int64_t{0}}}, "ArgMax");
  reject({{"axis", std::string_view("0")}}, "ArgMax");
  reject({{"permutation", Ints{3, 2, 1, 0}}}, "Transpose");
  reject({{"permutation", Ints{0, 0, 1, 2}}}, "Transpose");
  reject({{"axes", Ints{1, 1}}, {"func", std::string_view("sum")}}, "Reduce");

  MetaBuilder shape;
  shape.input("x", {-1, kHuge, kHuge}).output("x");
  EXPECT_THROW(UffParser().parse(shape.meta()), InputError);
  MetaBuilder rank;
  rank.input("x", Ints(100, 1)).output("x");
  EXPECT_THROW(UffParser().parse(rank.meta()), InputError);
  MetaBuilder blob;
  blob.floats("w", {1 << 20, 1 << 20}, {1}).output("w");
  EXPECT_THROW(UffParser().parse(blob.meta()), InputError);
  MetaBuilder pads;
  pads.floats("w", {1}, {1}).ints("p", {1, 2}, {0x7FFFFFFF, 0}).node("Pad", "y", {"w", "p"});
  pads.output("y");
  expect_contains(error_of(pads.meta()), "outgrow");
  MetaBuilder orders;
  const Ints axes{0, std::numeric_limits<std::int64_t>::max(), kOrderIncrement};
  const DimensionOrders order{{kOrderSpecial, axes}};
  orders.input("x", {-1, 6, 8, 3});
  orders.node("Conv", "y", {"x", "x"}, {{"inputs_orders", std::vector<DimensionOrders>{order}}});
  orders.output("y");
  expect_contains(error_of(orders.meta()), "not a layout");
}

TEST(Importer, ComputedConstantsStayInProportionToTheFile) {
  MetaBuilder builder;
  builder.floats("w", {1 << 20, 1}, std::vector<float>(1 << 20, 1))
      .node("Unary", "n0", {"w"}, {{"func", builder.text("neg")}});
  constexpr int kFewer = 8;
  constexpr int kMore = 16;
  for (int i = 1; i <= kMore; ++i) {
    builder.node("Unary", "n" + std::to_string(i), {"n" + std::to_string(i - 1)},
                 {{"func", builder.text("neg")}});
  }
  builder.output("n" + std::to_string(kMore));
  expect_contains(error_of(builder.meta()), "outgrow");
  UffParser few;
  few.register_output("n" + std::to_string(kFewer));
  EXPECT_EQ(few.parse(builder.meta()).outputs().size(), 1U);
}

TEST(Importer, WidenedConstantsStayInProportionToTheFile) {
  constexpr int kCount = 1 << 20;
  const std::string bytes(2 * kCount, '\0');
  MetaBuilder builder;
  builder.meta().referenced_data.emplace_back("blob", Blob{ByteView(bytes)});
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) {
    names.push_back("w" + std::to_string(i));
    builder.node("Const", names.back(), {},
                 {{"values", Reference{"blob"}},
                  {"dtype", i % 2 == 0 ? DataType::kFloat16 : DataType::kInt16},
                  {"shape", Ints{kCount}}});
    builder.output(names.back());
  }
  expect_contains(error_of(builder.meta()), "outgrow");
}

TEST(Importer, DeepNetworksNeedNoStack) {
  MetaBuilder builder;
  builder.input("n0", {-1, 2});
  constexpr int kDepth = 100000;
  for (int i = 1; i <= kDepth; ++i) {
    builder.node("Identity", "n" + std::to_string(i), {"n" + std::to_string(i - 1)});
  }
  builder.output("n" + std::to_string(kDepth));
  EXPECT_EQ(UffParser().parse(builder.meta()).nodes().size(), 1U);
}

TEST(Importer, RegistrationIsChecked) {
  UffParser parser;
  EXPECT_THROW(parser.register_input("x", {3, 8}), InputError);
  EXPECT_THROW(parser.register_input("x", {3, 8, 0}), InputError);
  EXPECT_THROW(parser.register_input("x", {3, 8, 8}, UffInputOrder::kNC), InputError);
  EXPECT_TRUE(parser.register_input("x", {3, 8, 8}));
  EXPECT_THROW(parser.register_input("x", {3, 8, 8}), InputError);
}

TEST(Importer, BytesOfTheBindingMayBeCastToFloat) {
  MetaBuilder builder = convolution("N+C", {-1, 6, 8, 3});
  UffParser parser;
  parser.register_input("x", {3, 6, 8}, UffInputOrder::kNCHW, ElementType::kUInt8);
  const chexnet_trt::Graph graph = parser.parse(builder.meta());
  EXPECT_EQ(graph.node(graph.find("x")).type.element, ElementType::kUInt8);
  EXPECT_GE(graph.find("x/cast"), 0);
}

}  // namespace
}  // namespace chexnet_trt::uff
