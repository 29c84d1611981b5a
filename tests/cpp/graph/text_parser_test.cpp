#include <gtest/gtest.h>

#include "common/error.hpp"
#include "graph/text.hpp"

namespace chexnet_trt {
namespace {

constexpr std::string_view kInput =
    "\"x\" = input() element=float32 shape=[?,2] layout=plain : float32[?,2]\n";
constexpr std::string_view kOutput = "output \"x\" = \"x\"\n";

/// The error of a graph with `line` as its second line.
std::string error_of(const std::string& line, ByteView weights = {}) {
  try {
    graph_from_text(std::string(kInput) + line + "\n" + std::string(kOutput), weights);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(TextParser, ReadsInlineConstants) {
  const Graph graph = graph_from_text(
      "\"c\" = constant() value={-1,0.5,1e-3} : float32[3]\noutput \"c\" = \"c\"\n");
  EXPECT_EQ(graph.constant(0)->to_doubles(), (std::vector<double>{-1, 0.5, 0.001F}));
}

TEST(TextParser, ConstantsLieInTheWeights) {
  const std::vector<float> weights{1, 2, 3};
  const ByteView bytes(weights.data(), 12);
  const Graph graph =
      graph_from_text("\"c\" = constant() value=@4+8 : float32[2]\noutput \"c\" = \"c\"\n", bytes);
  EXPECT_EQ(graph.constant(0)->bytes().data, bytes.data + 4);
}

TEST(TextParser, EveryErrorNamesTheLine) {
  const std::vector<std::string> lines{
      "nonsense",
      "\"y\"",
      "\"y\" = no_such_op(\"x\") : float32[?,2]",
      "\"y\" = identity(\"later\") : float32[?,2]",
      "\"y\" = identity(\"x\") : float32[?,3]",
      "\"y\" = identity(\"x\") : float99[?,2]",
      "\"y\" = identity(\"x\") : float32[?,2] rest",
      "\"y\" = identity(\"x\",\"x\") : float32[?,2]",
      "\"x\" = identity(\"x\") : float32[?,2]",
      "\"y\" = activation(\"x\") kind=swish alpha=0 : float32[?,2]",
      "\"y\" = activation(\"x\") alpha=0 kind=relu : float32[?,2]",
      "\"y\" = activation(\"x\") kind=relu alpha=zero : float32[?,2]",
      "\"y\" = reduce(\"x\") kind=sum axes=[1] keep_dims=maybe : float32[?]",
      "\"y\" = softmax(\"x\") axis=99999999999999999999 : float32[?,2]",
      "\"y\" = max_pool(\"x\") layout=nhwc kernel=[1] strides=[1,1] pads_begin=[0,0] "
      "pads_end=[0,0] : float32[?,2]",
      "\"y\" = constant() value={1,2} : float32[3]",
      "\"y\" = constant() value=@0+8 : float32[2]",
      "\"unterminated = identity(\"x\") : float32[?,2]",
      "output \"y\" = \"nowhere\"",
  };
  for (const std::string& line : lines) {
    EXPECT_EQ(error_of(line).find("graph text, line 2: "), 0U) << line << " -> " << error_of(line);
  }
}

TEST(TextParser, OffsetsOutsideTheWeightsAreRefused) {
  const std::vector<float> weights{1, 2};
  const ByteView bytes(weights.data(), 8);
  EXPECT_EQ(error_of("\"y\" = constant() value=@0+8 : float32[2]", bytes), "no error");
  EXPECT_NE(error_of("\"y\" = constant() value=@4+8 : float32[2]", bytes), "no error");
  EXPECT_NE(error_of("\"y\" = constant() value=@18446744073709551612+8 : float32[2]", bytes),
            "no error");
  EXPECT_NE(error_of("\"y\" = constant() value=@0+4 : float32[2]", bytes), "no error");
}

TEST(TextParser, AGraphNeedsAnOutput) {
  EXPECT_THROW(graph_from_text(kInput), InputError);
  EXPECT_THROW(graph_from_text(""), InputError);
}

}  // namespace
}  // namespace chexnet_trt
