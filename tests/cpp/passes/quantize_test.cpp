#include "passes/quantize.hpp"

#include <gmock/gmock.h>

#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Strings = std::vector<std::string>;

/// "name", "name unsigned", in order.
Strings points_of(const Graph& graph, const std::set<std::string>& high_precision = {}) {
  Strings result;
  for (const QuantizationPoint& point : quantization_points(graph, high_precision)) {
    result.push_back(graph.node(point.value).name + (point.is_unsigned ? " unsigned" : ""));
  }
  return result;
}

/// Appends layers to a text.
class Text {
 public:
  Text() {
    line(R"("x" = input() element=float32 shape=[?,4,4,2] layout=nhwc : float32[?,4,4,2])");
    line(R"("w" = constant() value={1,2,-4,0} : float32[1,1,2,2])");
    line(R"("c2" = constant() value={1,2} : float32[2])");
  }
  Text& conv(const std::string& name, const std::string& x) {
    return line(
        quoted(name) + " = conv2d(" + quoted(x) +
        R"(,"w") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 )" +
        kImage);
  }
  Text& binary(const std::string& name, const std::string& a, const std::string& b,
               const std::string& kind = "add") {
    return line(quoted(name) + " = binary(" + quoted(a) + "," + quoted(b) + ") kind=" + kind + " " +
                kImage);
  }
  Text& relu(const std::string& name, const std::string& x) {
    return line(quoted(name) + " = activation(" + quoted(x) + ") kind=relu alpha=0 " + kImage);
  }
  Text& line(const std::string& text) {
    text_ += text + "\n";
    return *this;
  }
  Graph output(const std::string& name) {
    line("output \"y\" = " + quoted(name));
    return graph_from_text(text_);
  }

 private:
  static std::string quoted(const std::string& name) { return "\"" + name + "\""; }
  static constexpr const char* kImage = ": float32[?,4,4,2]";
  std::string text_;
};

std::string message_of(const Graph& graph, const DynamicRanges& ranges) {
  try {
    quantize(graph, ranges);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(QuantizationPoints, AtTheEndOfAChainOnly) {
  const Graph graph = Text()
                          .conv("conv", "x")
                          .binary("bias", "conv", "c2")
                          .relu("relu", "bias")
                          .conv("last", "relu")
                          .output("last");
  EXPECT_THAT(points_of(graph), ElementsAre("x", "relu unsigned"));
}

TEST(QuantizationPoints, OnTheTrunkButNotOnALayerThatTheAddIsComputedInto) {
  Text text;
  text.conv("stem", "x").binary("scaled", "stem", "c2", "mul").relu("active", "scaled");
  text.conv("branch", "active").binary("bias", "branch", "c2").binary("sum", "bias", "stem");
  text.relu("relu", "sum").conv("next", "relu").binary("again", "next", "sum");
  EXPECT_THAT(points_of(text.relu("end", "again").conv("last", "end").output("last")),
              ElementsAre("x", "stem", "active unsigned", "sum", "relu unsigned", "end unsigned"));
}

TEST(QuantizationPoints, SignedWhereTheBackendHasNoUInt8) {
  const Graph graph =
      Text().conv("conv", "x").relu("relu", "conv").conv("last", "relu").output("last");
  const auto points = quantization_points(graph, {}, QuantizedTypes::kInt8);
  ASSERT_EQ(points.size(), 2U);
  EXPECT_FALSE(points[1].is_unsigned);
  const Graph quantized = quantize(graph, {{"x", 1}, {"relu", 2}}, {}, QuantizedTypes::kInt8);
  const Node& node = quantized.node(quantized.find("relu/quantize"));
  EXPECT_EQ(std::get<QuantizeAttributes>(node.attributes).element, ElementType::kInt8);
  const Tensor* scale = quantized.constant(node.inputs[1]);
  ASSERT_NE(scale, nullptr);
  EXPECT_EQ(scale->to_doubles()[0], static_cast<double>(static_cast<float>(2.0 / 127)));
}

TEST(QuantizationPoints, OneOfTwoLayersThatAnAddJoins) {
  const Graph graph = Text()
                          .conv("a", "x")
                          .conv("b", "x")
                          .binary("sum", "a", "b")
                          .conv("last", "sum")
                          .output("last");
  EXPECT_THAT(points_of(graph), ElementsAre("x", "b", "sum"));
}

TEST(QuantizationPoints, InFrontOfWhatMovesElementsAndWithOneScaleAndSign) {
  Text text;
  text.conv("a", "x").relu("relu", "a").conv("b", "relu");
  text.line(
      R"("pool" = max_pool("relu") layout=nhwc kernel=[3,3] strides=[1,1] pads_begin=[1,1] pads_end=[1,1] : float32[?,4,4,2])");
  text.line(R"("cat" = concat("pool","b") axis=3 : float32[?,4,4,4])");
  text.line(R"("v" = constant() value={1,2,3,4} : float32[1,1,4,1])");
  text.line(
      R"("last" = conv2d("cat","v") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,4,4,1])");
  const Graph graph = text.output("last");
  EXPECT_THAT(points_of(graph), ElementsAre("x", "relu", "b"));
  const auto points = quantization_points(graph);
  EXPECT_EQ(points[1].group, points[2].group);
  EXPECT_NE(points[0].group, points[1].group);
  const Graph quantized = quantize(graph, {{"x", 1.27}, {"relu", 2.54}, {"b", 12.7}});
  const float scale = static_cast<float>(12.7 / 127);
  for (const char* name : {"relu/scale", "b/scale"}) {
    EXPECT_EQ(quantized.constant(quantized.find(name))->to_doubles(), (std::vector<double>{scale}));
  }
}

TEST(QuantizationPoints, PoolingAndMeanReadInEightBitsOnlyBehindAnInt8Layer) {
  const std::string mean =
      R"("m" = reduce("x") kind=mean axes=[1,2] keep_dims=false : float32[?,2])";
  EXPECT_THAT(points_of(Text().line(mean).output("m")), ElementsAre());
  Text text;
  text.conv("conv", "x").relu("relu", "conv");
  text.line(R"("m" = reduce("relu") kind=mean axes=[1,2] keep_dims=false : float32[?,2])");
  text.line(R"("k" = constant() value={1,2,3,4,5,6} : float32[2,3])");
  text.line(R"("fc" = matmul("m","k") transpose_a=false transpose_b=false : float32[?,3])");
  EXPECT_THAT(points_of(text.output("fc")), ElementsAre("x", "relu unsigned", "m unsigned"));
}

TEST(QuantizationPoints, HighPrecision) {
  Text text;
  text.conv("a", "x").relu("r", "a").conv("b", "r").binary("sum", "b", "r").conv("c", "sum");
  const Graph graph = text.output("c");
  EXPECT_THAT(points_of(graph), ElementsAre("x", "r unsigned", "sum"));
  EXPECT_THAT(points_of(graph, {"a"}), ElementsAre("r unsigned", "sum"));
  EXPECT_THAT(points_of(graph, {"c"}), ElementsAre("x", "r unsigned"));
  EXPECT_THAT(points_of(graph, {"a", "b", "c"}), ElementsAre());
  EXPECT_THROW(quantization_points(graph, {"no such layer"}), InputError);
  const Graph mixed = quantize(graph, {{"x", 1}, {"r", 1}, {"sum", 1}}, {"b"});
  EXPECT_EQ(mixed.node(mixed.find("b")).inputs[0], mixed.find("r"));
  EXPECT_EQ(mixed.node(mixed.find("b")).inputs[1], mixed.find("w"));
  EXPECT_EQ(mixed.node(mixed.find("sum")).inputs[1], mixed.find("r/dequantize"));
}

TEST(QuantizationPoints, LayersInHighPrecisionNeedNoOtherRanges) {
  Text text;
  text.conv("stem", "x").conv("shortcut", "stem").conv("branch", "stem");
  text.binary("bias", "branch", "c2").binary("sum", "bias", "shortcut").relu("relu", "sum");
  text.conv("next", "relu").binary("again", "next", "sum").conv("last", "again");
  const Graph graph = text.output("last");
  const std::vector<std::string> layers{"stem", "shortcut", "branch", "next", "last"};
  std::set<std::string> calibrated;
  for (const auto& point : quantization_points(graph)) {
    calibrated.insert(graph.node(point.value).name);
  }
  for (unsigned kept = 0; kept < 1U << layers.size(); ++kept) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if ((kept >> i & 1U) != 0) names.insert(layers[i]);
    }
    for (const auto& point : quantization_points(graph, names)) {
      EXPECT_EQ(calibrated.count(graph.node(point.value).name), 1U) << kept;
    }
  }
}

TEST(Quantize, WritesPairsAndInt8WeightsByChannel) {
  const Graph graph = Text().conv("conv", "x").output("conv");
  const Graph after = quantize(graph, {{"x", 254}});
  const Node& conv = after.node(after.find("conv"));
  EXPECT_EQ(after.node(conv.inputs[0]).name, "x/dequantize");
  EXPECT_EQ(after.constant(after.find("x/scale"))->to_doubles(), (std::vector<double>{2}));
  EXPECT_EQ(std::get<QuantizeAttributes>(after.node(after.find("x/quantize")).attributes).element,
            ElementType::kInt8);
  // Channels of the HWIO weights {{1, 2}, {-4, 0}}: {1, -4} and {2, 0}.
  const Tensor& weights = *after.constant(after.find("w/int8"));
  EXPECT_EQ(weights.type(), ElementType::kInt8);
  EXPECT_EQ(weights.to_ints(), (std::vector<std::int64_t>{32, 127, -127, 0}));
  const double step = static_cast<double>(static_cast<float>(4.0 / 127));
  EXPECT_EQ(after.constant(after.find("w/scale"))->to_doubles()[0], step);
  EXPECT_EQ(after.find("w"), -1);
  EXPECT_EQ(after.outputs()[0].value, after.find("conv"));
}

TEST(Quantize, AChannelOfZerosHasScaleOne) {
  Text text;
  text.line(R"("z" = constant() value={1,0,1,0} : float32[1,1,2,2])");
  text.line(
      R"("conv" = conv2d("x","z") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,4,4,2])");
  const Graph after = quantize(text.output("conv"), {{"x", 1}});
  EXPECT_EQ(after.constant(after.find("z/scale"))->to_doubles()[1], 1);
  EXPECT_EQ(after.constant(after.find("z/int8"))->to_ints(),
            (std::vector<std::int64_t>{127, 0, 127, 0}));
}

TEST(Quantize, OutputsStayUnquantised) {
  const Graph graph = Text().conv("a", "x").relu("r", "a").conv("b", "r").output("r");
  EXPECT_EQ(count_of(quantize(graph, {{"x", 1}, {"r", 1}}), Op::kQuantize), 1);
}

TEST(Quantize, SaysWhichRangesAreMissingOrWrong) {
  const Graph graph = Text().conv("a", "x").relu("r", "a").conv("b", "r").output("b");
  EXPECT_THAT(message_of(graph, {{"x", 1}}), HasSubstr("1 of 2 values ('r')"));
  EXPECT_THAT(message_of(graph, {{"x", 1}, {"r", 0}}), HasSubstr("'r'"));
  EXPECT_EQ(message_of(graph, {{"x", 1}, {"r", 1}, {"other", 1}}), "");
}

TEST(Quantize, RefusesWeightsThatAreNotFinite) {
  Text text;
  text.line(R"("z" = constant() value={1,inf,1,0} : float32[1,1,2,2])");
  text.line(
      R"("conv" = conv2d("x","z") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,4,4,2])");
  EXPECT_THAT(message_of(text.output("conv"), {{"x", 1}}), HasSubstr("layer 'conv'"));
}

TEST(Quantize, IsReproducible) {
  const Graph graph = Text().conv("a", "x").relu("r", "a").conv("b", "r").output("b");
  const DynamicRanges ranges{{"x", 1}, {"r", 2}};
  EXPECT_EQ(quantize(graph, ranges).hash(), quantize(graph, ranges).hash());
}

}  // namespace
}  // namespace chexnet_trt::passes
