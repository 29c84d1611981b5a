#include "backends/cuda/fusion.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "backends/cuda/networks.hpp"
#include "backends/cuda/unit_affine.hpp"
#include "common/error.hpp"
#include "graph/op_table.hpp"
#include "passes/quantize.hpp"

namespace chexnet_trt::cuda {
namespace {

using testing::add_activation;
using testing::add_bias;
using testing::add_conv;
using testing::add_image;

std::vector<std::string> types_of(const Program& program) {
  std::vector<std::string> types;
  for (const Step& step : program.steps) types.emplace_back(type_of(step));
  return types;
}

const Step& step_called(const Program& program, const std::string& name) {
  const auto found = std::find_if(program.steps.begin(), program.steps.end(),
                                  [&](const Step& step) { return step.name == name; });
  if (found == program.steps.end()) throw Error("no step " + name);
  return *found;
}

const Value& value_called(const Program& program, const std::string& name) {
  const auto found = std::find_if(program.values.begin(), program.values.end(),
                                  [&](const Value& value) { return value.name == name; });
  if (found == program.values.end()) throw Error("no value " + name);
  return *found;
}

Graph quantized(const Graph& graph) {
  DynamicRanges ranges;
  for (const QuantizationPoint& point : quantization_points(graph)) {
    ranges[graph.node(point.value).name] = 4;
  }
  return quantize(graph, ranges);
}

TEST(Fusion, MakesOneStepOfAConvolutionAndWhatFollows) {
  Graph g;
  const NodeId conv = add_conv(g, "conv", add_image(g, 8, 16), {8, {3, 3}, {1, 1}, {1, 1}});
  g.add_output("y", add_activation(g, "relu", add_bias(g, "bias", conv, 8)));
  const Program program = fuse(g, 2, Precision::kFloat16);
  EXPECT_EQ(types_of(program), (std::vector<std::string>{"input", "conv", "output"}));
  const Step& step = program.steps[1];
  EXPECT_EQ(step.nodes, (std::vector<std::string>{"conv", "bias", "relu"}));
  EXPECT_TRUE(step.epilogue.affine.mul.empty());
  EXPECT_EQ(step.epilogue.affine.add.size(), 8U);
  EXPECT_TRUE(step.epilogue.activation.has_value());
  EXPECT_EQ(value_called(program, "relu").element, ElementType::kFloat16);
}

TEST(Fusion, AddsTheTrunkAndPreparesTheNextBlockInOneStep) {
  const Program program = fuse(testing::residual_network(), 1, Precision::kFloat16);
  for (const std::string& type : types_of(program)) EXPECT_NE(type, "map");
  const Step& sum = step_called(program, "block0/c");
  EXPECT_GE(sum.epilogue.residual, 0);
  EXPECT_TRUE(sum.epilogue.stores_output);
  EXPECT_GE(sum.epilogue.second, 0);
  // Nothing reads the last sum but the scale and shift behind it.
  const Step& last = step_called(program, "block2/c");
  EXPECT_FALSE(last.epilogue.stores_output);
  EXPECT_GE(last.epilogue.second, 0);
}

TEST(Fusion, ReadsTheImageInBlocksForAStrideOfTwo) {
  const Program program = fuse(testing::residual_network(24), 1, Precision::kFloat16);
  const auto& input = std::get<InputStep>(program.steps[0].kind);
  EXPECT_EQ(input.block, 2);
  EXPECT_EQ(input.pads, (Spatial{3, 3}));
  const auto& conv = std::get<ConvStep>(step_called(program, "stem").kind);
  EXPECT_EQ(conv.weights.shape(), (Shape{32, 4, 4, 12}));
  EXPECT_EQ(conv.strides, (Spatial{1, 1}));
  EXPECT_EQ(program.values[static_cast<std::size_t>(conv.input)].height, 12 + 3);
}

TEST(Fusion, TakesAMapIntoThePointwiseConvolutionThatAloneReadsIt) {
  const Graph g = testing::prologue_network();
  for (const auto& [precision, element] : {std::pair{Precision::kFloat16, ElementType::kFloat16},
                                           std::pair{Precision::kFloat32, ElementType::kFloat32},
                                           std::pair{Precision::kInt8, ElementType::kUInt8}}) {
    const Program program = fuse(precision == Precision::kInt8 ? quantized(g) : g, 1, precision);
    for (const std::string& type : types_of(program)) EXPECT_NE(type, "map");
    const Step& step = step_called(program, "pointwise");
    EXPECT_EQ(step.nodes.front(), "active/mul");
    const auto& conv = std::get<ConvStep>(step.kind);
    ASSERT_TRUE(conv.prologue.has_value());
    EXPECT_EQ(conv.prologue->affine.mul.size(), 96U);
    EXPECT_TRUE(conv.prologue->activation.has_value());
    EXPECT_EQ(program.values[static_cast<std::size_t>(multiplied_of(conv))].element, element);
    EXPECT_EQ(program.values[static_cast<std::size_t>(conv.input)].channels, 96);
    EXPECT_EQ(prologue_affine(program, step).size(), 4U * 96);
  }
}

TEST(Fusion, LeavesAMapThatOthersReadOrThatIsNoWholeWords) {
  const auto maps_of = [](const Graph& graph) {
    const std::vector<std::string> types = types_of(fuse(graph, 1, Precision::kFloat16));
    return std::count(types.begin(), types.end(), "map");
  };
  EXPECT_EQ(maps_of(testing::prologue_network(true)), 1);
  EXPECT_EQ(maps_of(testing::dense_network(16)), 2);  // before a pool and a mean
  EXPECT_GT(maps_of(testing::dense_network(12)), 2);
}

TEST(Fusion, WritesConcatenatedChannelsInPlace) {
  const Program program = fuse(testing::dense_network(16), 1, Precision::kFloat16);
  const auto index_of = [&](const std::string& name) {
    return static_cast<int>(&value_called(program, name) - program.values.data());
  };
  const int whole = index_of("block0/2/concat");
  EXPECT_EQ(place_of(program, index_of("pool")).owner, whole);
  const Place place = place_of(program, index_of("block0/1/b"));
  EXPECT_EQ(place.owner, whole);
  EXPECT_EQ(place.offset, 32 + 16);
  for (const Step& step : program.steps) EXPECT_EQ(step.name.find("/copy"), std::string::npos);
}

TEST(Fusion, CopiesWhatDoesNotLieAtAWord) {
  const Program program = fuse(testing::dense_network(12), 1, Precision::kFloat16);
  EXPECT_NO_THROW(step_called(program, "block0/1/b/copy"));
}

TEST(Fusion, KeepsEightBitsBetweenLayers) {
  const Program program = fuse(quantized(testing::residual_network()), 1, Precision::kInt8);
  for (const Step& step : program.steps) {
    const auto* conv = std::get_if<ConvStep>(&step.kind);
    if (conv == nullptr) continue;
    EXPECT_EQ(conv->weights.type(), ElementType::kInt8) << step.name;
    EXPECT_FALSE(step.epilogue.affine.mul.empty()) << step.name;
    const Value& output = program.values[static_cast<std::size_t>(step.epilogue.output)];
    EXPECT_TRUE(!step.epilogue.stores_output || size_of(output.element) == 1) << step.name;
  }
  EXPECT_EQ(value_called(program, "block0/a/relu/quantize").element, ElementType::kUInt8);
}

TEST(Fusion, DequantizesForALayerInFloat) {
  const Graph g = testing::residual_network();
  DynamicRanges ranges;
  const std::set<std::string> high_precision{"block1/b"};
  for (const QuantizationPoint& point : quantization_points(g, high_precision)) {
    ranges[g.node(point.value).name] = 4;
  }
  const Program program = fuse(quantize(g, ranges, high_precision), 1, Precision::kInt8);
  const auto& conv = std::get<ConvStep>(step_called(program, "block1/b").kind);
  EXPECT_EQ(conv.weights.type(), ElementType::kFloat32);
  EXPECT_EQ(program.values[static_cast<std::size_t>(conv.input)].element, ElementType::kFloat32);
}

TEST(Fusion, ComputesEveryValueBeforeItIsRead) {
  for (const Graph& g : {testing::residual_network(), testing::dense_network()}) {
    const Program program = fuse(g, 1, Precision::kFloat32);
    std::vector<bool> written(program.values.size(), false);
    const auto all_written = [&](int value) {
      for (std::size_t other = 0; other < written.size(); ++other) {
        if (program.values[other].parent == value) return true;  // checked by its parts
      }
      return static_cast<bool>(written[static_cast<std::size_t>(value)]);
    };
    for (const Step& step : program.steps) {
      for (const int read : reads_of(step)) EXPECT_TRUE(all_written(read)) << step.name;
      for (const int write : writes_of(step)) written[static_cast<std::size_t>(write)] = true;
    }
  }
}

TEST(Fusion, LetsTheLastLayerWriteTheOutput) {
  const Program program = fuse(testing::residual_network(), 1, Precision::kFloat16);
  EXPECT_EQ(types_of(program).back(), "dense");
  EXPECT_EQ(value_called(program, "sigmoid").binding, 1);
  EXPECT_EQ(value_called(program, "sigmoid").element, ElementType::kFloat32);
}

TEST(Fusion, NamesTheNodeThatItCannotCompute) {
  Graph g;
  const NodeId x = add_image(g, 8, 4);
  const NodeId whole = g.add(Op::kReshape, "row", {x}, ReshapeAttributes{{kBatch, 256}});
  g.add_output("y", g.add(Op::kReshape, "image", {whole}, ReshapeAttributes{{kBatch, 4, 8, 8}}));
  try {
    fuse(g, 1, Precision::kFloat32);
    FAIL() << "should be refused";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("'image'"), std::string::npos);
  }
}

TEST(Fusion, KnowsEveryOpOrSaysWhyNot) {
  std::map<Op, std::string> reasons;
  for (const OpInfo& info : op_table()) {
    const std::string reason = unsupported_reason(info.op);
    if (!reason.empty()) reasons[info.op] = reason;
  }
  EXPECT_EQ(reasons,
            (std::map<Op, std::string>{
                {Op::kBatchNorm, "the cuda backend computes it with constant parameters alone"},
                {Op::kGather, "the cuda backend looks up no indices"}}));
}

}  // namespace
}  // namespace chexnet_trt::cuda
