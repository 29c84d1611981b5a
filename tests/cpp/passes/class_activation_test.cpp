#include "passes/class_activation.hpp"

#include <gmock/gmock.h>

#include "graph/op_table.hpp"
#include "passes/pass_testing.hpp"
#include "passes/pipeline.hpp"
#include "passes/quantize.hpp"
#include "test_folder.hpp"

namespace chexnet_trt::passes {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

constexpr std::size_t kBatch2 = 2;
constexpr std::size_t kClasses = 3;
constexpr std::size_t kPixels = 12;

constexpr const char* kNhwc =
    R"("f" = input() element=float32 shape=[?,3,4,2] layout=nhwc : float32[?,3,4,2]
)";
constexpr const char* kMean =
    R"("mean" = reduce("f") kind=mean axes=[1,2] keep_dims=false : float32[?,2]
)";
constexpr const char* kDense = R"("w" = constant() value={1,2,-3,0.5,-1,4} : float32[2,3]
"product" = matmul("mean","w") transpose_a=false transpose_b=false : float32[?,3]
)";
constexpr const char* kBias = R"("b" = constant() value={0.5,-1,2} : float32[3]
"logits" = binary("product","b") kind=add : float32[?,3]
)";
constexpr const char* kSigmoid =
    R"("scores" = activation("logits") kind=sigmoid alpha=0 : float32[?,3]
output "scores" = "scores"
)";

std::string head(const std::string& input, const std::string& mean) {
  return input + mean + kDense + kBias + kSigmoid;
}

double sigmoid(double logit) { return 1 / (1 + std::exp(-logit)); }

/// `values`: of the scores and of the maps.
void expect_maps_explain(const std::vector<std::vector<double>>& values,
                         const std::vector<double>& bias, double tolerance) {
  const std::vector<double>& scores = values.front();
  const std::vector<double>& map = values.back();
  ASSERT_EQ(map.size(), kBatch2 * kClasses * kPixels);
  for (std::size_t score = 0; score < scores.size(); ++score) {
    double sum = 0;
    for (std::size_t pixel = 0; pixel < kPixels; ++pixel) sum += map[score * kPixels + pixel];
    EXPECT_NEAR(sigmoid(sum / kPixels + bias[score % kClasses]), scores[score], tolerance);
  }
}

/// Adds maps to the network of `text` and expects that they explain its scores.
Graph expect_maps_explain_scores(const std::string& text, const std::vector<double>& bias) {
  const Graph graph = add_class_activation(graph_from_text(text));
  const NodeId maps = graph.outputs().back().value;
  EXPECT_EQ(graph.outputs().back().name, kClassActivationOutput);
  EXPECT_EQ(graph.node(maps).type, (ValueType{ElementType::kFloat32, {kBatch, 3, 3, 4}}));
  expect_maps_explain(
      reference::interpret(graph, kBatch2, reference::random_inputs(graph, kBatch2, 7)), bias,
      1e-6);
  return graph;
}

TEST(ClassActivation, MeanOfAMapAndBiasAreTheLogit) {
  expect_maps_explain_scores(head(kNhwc, kMean), {0.5, -1, 2});
}

TEST(ClassActivation, ChannelsFirstWithKeptAxesAndIdentities) {
  const std::string input =
      R"("f" = input() element=float32 shape=[?,2,3,4] layout=nchw : float32[?,2,3,4]
)";
  const std::string mean =
      R"("pooled" = reduce("f") kind=mean axes=[2,3] keep_dims=true : float32[?,2,1,1]
"same" = identity("pooled") : float32[?,2,1,1]
"mean" = reshape("same") shape=[?,2] : float32[?,2]
)";
  const Graph graph = expect_maps_explain_scores(head(input, mean), {0.5, -1, 2});
  EXPECT_EQ(count_of(graph, Op::kTranspose), 0);
}

TEST(ClassActivation, AveragePoolingOfAllPixels) {
  const std::string mean =
      R"("pooled" = average_pool("f") layout=nhwc kernel=[3,4] strides=[1,1] pads_begin=[0,0] pads_end=[0,0] : float32[?,1,1,2]
"mean" = reshape("pooled") shape=[?,2] : float32[?,2]
)";
  expect_maps_explain_scores(head(kNhwc, mean), {0.5, -1, 2});
}

TEST(ClassActivation, TransposedWeightsAndNoBias) {
  const std::string dense = R"("w" = constant() value={1,0.5,2,-1,-3,4} : float32[3,2]
"logits" = matmul("mean","w") transpose_a=false transpose_b=true : float32[?,3]
)";
  const Graph graph =
      expect_maps_explain_scores(std::string(kNhwc) + kMean + dense + kSigmoid, {0, 0, 0});
  const Graph same = add_class_activation(graph_from_text(head(kNhwc, kMean)));
  const auto weights = [](const Graph& from) {
    return from.constant(from.node(from.find("class_activation_maps/conv2d")).inputs[1])
        ->to_doubles();
  };
  EXPECT_EQ(weights(graph), weights(same));
}

TEST(ClassActivation, OfAQuantisedGraphComeFromWhatItsScoresComeFrom) {
  const std::string conv =
      R"("x" = input() element=float32 shape=[?,3,4,2] layout=nhwc : float32[?,3,4,2]
"v" = constant() value={1,2,-4,0.5} : float32[1,1,2,2]
"conv" = conv2d("x","v") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,3,4,2]
"f" = activation("conv") kind=relu alpha=0 : float32[?,3,4,2]
)";
  const Graph plain =
      quantize(graph_from_text(head(conv, kMean)), {{"x", 1}, {"f", 4}, {"mean", 2}});
  const Graph mapped = add_class_activation(plain);
  EXPECT_EQ(count_of(mapped, Op::kQuantize), 3);
  const Node& conv2d = mapped.node(mapped.find("class_activation_maps/conv2d"));
  EXPECT_EQ(mapped.node(conv2d.inputs[0]).name, "f/dequantize");
  const std::vector<double> weights = mapped.constant(conv2d.inputs[1])->to_doubles();
  const std::vector<double> rounded{1, 2, -380 / 127.0, 64 / 127.0, -128 / 127.0, 4};
  EXPECT_THAT(weights, Pointwise(DoubleNear(1e-6), rounded));
  const auto inputs = reference::random_inputs(plain, 2, 7);
  const auto expected = reference::interpret(plain, 2, inputs);
  const auto values = reference::interpret(mapped, 2, inputs);
  EXPECT_EQ(values[0], expected[0]);
  expect_maps_explain(values, {0.5, -1, 2}, 0.02);
}

TEST(ClassActivation, SaysWhatTheNetworkHasInstead) {
  const auto refusal = [](const std::string& text) {
    return message_of<InputError>([&] { add_class_activation(graph_from_text(text)); });
  };
  const std::string until_logits = std::string(kNhwc) + kMean + kDense + kBias;
  EXPECT_THAT(refusal(until_logits + "output \"y\" = \"logits\"\n"),
              HasSubstr("feature map; 0 outputs of this network are sigmoids"));
  EXPECT_THAT(refusal(head(kNhwc, kMean) +
                      R"("more" = activation("product") kind=sigmoid alpha=0 : float32[?,3]
output "more" = "more"
)"),
              HasSubstr("2 outputs"));
  EXPECT_THAT(
      refusal(std::string(kNhwc) + R"("s" = activation("f") kind=sigmoid alpha=0 : float32[?,3,4,2]
output "s" = "s"
)"),
      HasSubstr("here 'f' is input"));
  EXPECT_THAT(
      refusal(head(kNhwc, R"("mean" = reduce("f") kind=max axes=[1,2] keep_dims=false : float32[?,2]
)")),
      HasSubstr("here 'mean' is reduce, not the mean over an image"));
  EXPECT_THAT(
      refusal(head(
          kNhwc,
          R"("rows" = slice("f") begin=[0,0,0,0] end=[?,1,1,2] strides=[1,1,1,1] : float32[?,1,1,2]
"mean" = reshape("rows") shape=[?,2] : float32[?,2]
)")),
      HasSubstr("here 'rows' is slice, not the mean over an image"));
}

TEST(ClassActivation, AMeanOfSomePixelsIsNone) {
  const std::string mean =
      R"("pooled" = average_pool("f") layout=nhwc kernel=[2,4] strides=[2,4] pads_begin=[0,0] pads_end=[0,0] : float32[?,1,1,2]
"mean" = reshape("pooled") shape=[?,2] : float32[?,2]
)";
  EXPECT_THROW(add_class_activation(graph_from_text(head(kNhwc, mean))), InputError);
}

}  // namespace
}  // namespace chexnet_trt::passes
