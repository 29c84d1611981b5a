#include "passes/embed_preprocessing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "graph/op_table.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

Graph image_graph(TensorLayout layout, Shape shape) {
  Graph graph;
  const NodeId x = graph.add_input("x", {ElementType::kFloat32, std::move(shape)}, layout);
  const NodeId taken = graph.add(Op::kIdentity, "x/mean", {x});
  graph.add_output("y", taken);
  return graph;
}

/// The graph's only output when its input is `pixels`, through the constant evaluator.
std::vector<double> run(const Graph& graph, const Tensor& pixels) {
  std::vector<Tensor> values;
  for (const Node& node : graph.nodes()) {
    if (node.op == Op::kInput) {
      values.push_back(pixels);
    } else if (const auto* constant = std::get_if<ConstantAttributes>(&node.attributes)) {
      values.push_back(constant->value);
    } else {
      std::vector<Tensor> inputs;
      for (const NodeId id : node.inputs) inputs.push_back(values[static_cast<std::size_t>(id)]);
      values.push_back(*evaluate(node.op, inputs, node.attributes));
    }
  }
  return values[static_cast<std::size_t>(graph.outputs()[0].value)].to_doubles();
}

TEST(EmbedPreprocessing, NormalisesEachChannelOfEitherLayout) {
  const std::vector<double> mean{100, 200};
  const std::vector<double> std{2, 4};
  const Graph nhwc =
      embed_preprocessing(image_graph(TensorLayout::kNhwc, {kBatch, 1, 2, 2}), mean, std);
  EXPECT_EQ(run(nhwc, Tensor::from_ints(ElementType::kUInt8, {1, 1, 2, 2}, {100, 200, 102, 208})),
            (std::vector<double>{0, 0, 1, 2}));
  const Graph nchw =
      embed_preprocessing(image_graph(TensorLayout::kNchw, {kBatch, 2, 1, 2}), mean, std);
  EXPECT_EQ(run(nchw, Tensor::from_ints(ElementType::kUInt8, {1, 2, 1, 2}, {100, 102, 200, 208})),
            (std::vector<double>{0, 1, 0, 2}));
  const Node& input = nchw.node(nchw.find("x"));
  EXPECT_EQ(input.type, (ValueType{ElementType::kUInt8, {kBatch, 2, 1, 2}}));
  EXPECT_EQ(std::get<InputAttributes>(input.attributes).layout, TensorLayout::kNchw);
}

TEST(EmbedPreprocessing, RefusesWhatDoesNotFit) {
  const auto error = [](const Graph& graph, const std::vector<double>& mean,
                        const std::vector<double>& std) {
    return message_of<InputError>([&] { embed_preprocessing(graph, mean, std); });
  };
  const Graph image = image_graph(TensorLayout::kNhwc, {kBatch, 1, 2, 2});
  EXPECT_THAT(error(image, {1}, {1}), testing::HasSubstr("has 2 channels, got 1 means"));
  EXPECT_THAT(error(image, {1, 1}, {1, 0}), testing::HasSubstr("positive"));
  Graph none;
  none.add_output("y", none.add_input("x", {ElementType::kFloat32, {kBatch, 3}}));
  EXPECT_THAT(error(none, {1}, {1}), testing::HasSubstr("has 0"));
}

}  // namespace
}  // namespace chexnet_trt
