#include "backends/openvino/lowering.hpp"

#include <gtest/gtest.h>

#include "graph/op_table.hpp"
#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;
constexpr auto kNhwc = TensorLayout::kNhwc;
constexpr auto kNchw = TensorLayout::kNchw;

TEST(LoweringTable, HasALoweringOrAReasonForEveryOp) {
  const auto& rows = openvino::lowering_table();
  ASSERT_EQ(rows.size(), op_table().size());
  for (std::size_t index = 0; index < rows.size(); ++index) {
    EXPECT_EQ(rows[index].op, op_table()[index].op) << op_table()[index].name;
    EXPECT_EQ(rows[index].lower == nullptr, !rows[index].reason.empty()) << op_table()[index].name;
    EXPECT_EQ(backend("openvino").unsupported_reason(rows[index].op), rows[index].reason);
  }
}

/// NCHW input read as NHWC values, a convolution on them, and `finish` on its result: what `finish`
/// sees lies channels-first in memory.
template <typename Finish>
Graph after_convolution(Finish finish) {
  Graph graph;
  const NodeId input = graph.add_input("x", {kFloat, {kBatch, 3, 7, 6}}, kNchw);
  const NodeId nhwc = graph.add(Op::kTranspose, "nhwc", {input}, TransposeAttributes{{0, 2, 3, 1}});
  const NodeId weights = random_constant(graph, "w", {3, 3, 3, 4});
  ConvAttributes conv;
  conv.pads_begin = conv.pads_end = {1, 1};
  finish(graph, graph.add(Op::kConv2D, "conv", {nhwc, weights}, conv));
  return graph;
}

std::size_t transposes_of(const Graph& graph) {
  std::size_t count = 0;
  for (const auto& node : openvino::lower(graph, 1)->get_ops()) {
    if (std::string(node->get_type_name()) == "Transpose") ++count;
  }
  return count;
}

TEST(Layout, AnNchwInputReadAsNhwcNeedsNoTranspose) {
  const Graph graph = after_convolution([](Graph& g, NodeId x) {
    const NodeId bias = random_constant(g, "bias", {4}, 2);
    const NodeId sum = g.add(Op::kBinary, "sum", {x, bias}, BinaryAttributes{BinaryKind::kAdd});
    const NodeId relu = g.add(Op::kActivation, "relu", {sum}, ActivationAttributes{});
    const NodeId twice = g.add(Op::kConcat, "cat", {relu, x}, AxisAttributes{3});
    const NodeId padded =
        g.add(Op::kPad, "pad", {twice}, PadAttributes{{0, 1, 2, 0}, {0, 0, 1, 0}});
    ReduceAttributes mean{ReduceKind::kMean, {1, 2}, false};
    g.add_output("y", g.add(Op::kReduce, "mean", {padded}, mean));
  });
  EXPECT_EQ(transposes_of(graph), 0U);
  expect_matches(graph, "chain");
}

TEST(Layout, TransposesOnlyWhereTheMemoryOrderShows) {
  const Graph nhwc_out = after_convolution([](Graph& g, NodeId x) { g.add_output("y", x); });
  EXPECT_EQ(transposes_of(nhwc_out), 1U);
  expect_matches(nhwc_out, "NHWC output");
  const Graph nchw_out = after_convolution([](Graph& g, NodeId x) {
    g.add_output("y", g.add(Op::kTranspose, "t", {x}, TransposeAttributes{{0, 3, 1, 2}}));
  });
  EXPECT_EQ(transposes_of(nchw_out), 0U);
  expect_matches(nchw_out, "NCHW output");
  const Graph flat = after_convolution([](Graph& g, NodeId x) {
    g.add_output("y", g.add(Op::kReshape, "flat", {x}, ReshapeAttributes{{kBatch, 168}}));
  });
  EXPECT_EQ(transposes_of(flat), 1U);
  expect_matches(flat, "flattened in NHWC order");
}

TEST(Layout, FlatteningPooledFeaturesIsFree) {
  const Graph graph = after_convolution([](Graph& g, NodeId x) {
    const NodeId mean =
        g.add(Op::kReduce, "mean", {x}, ReduceAttributes{ReduceKind::kMean, {1, 2}, true});
    g.add_output("y", g.add(Op::kReshape, "flat", {mean}, ReshapeAttributes{{kBatch, 4}}));
  });
  EXPECT_EQ(transposes_of(graph), 0U);
  expect_matches(graph, "pooled");
}

TEST(Layout, BroadcastsConstantsOntoChannelsFirstValues) {
  const std::vector<Shape> shapes{{4},    {1, 4},    {1, 1, 4},    {6, 1}, {7, 1, 1},
                                  {6, 4}, {7, 6, 4}, {1, 7, 6, 4}, {1},    {}};
  for (const Shape& shape : shapes) {
    for (const bool left : {false, true}) {
      const Graph graph = after_convolution([&](Graph& g, NodeId x) {
        const NodeId c = random_constant(g, "c", shape, 3);
        const std::vector<NodeId> operands = left ? std::vector<NodeId>{c, x} : std::vector{x, c};
        g.add_output("y", g.add(Op::kBinary, "y", operands, BinaryAttributes{BinaryKind::kSub}));
      });
      expect_matches(graph, "constant " + to_string(shape) + (left ? " left" : " right"));
    }
  }
}

TEST(Layout, MixesValuesOfDifferentOrders) {
  const Graph graph = after_convolution([](Graph& g, NodeId x) {
    const NodeId other = g.add_input("other", {kFloat, {kBatch, 7, 6, 4}}, kNhwc);
    const NodeId row = g.add_input("row", {kFloat, {6, 4}});
    const NodeId sum = g.add(Op::kBinary, "s", {other, x}, BinaryAttributes{BinaryKind::kMul});
    const NodeId rows = g.add(Op::kBinary, "r", {row, sum}, BinaryAttributes{BinaryKind::kSub});
    g.add_output("cat", g.add(Op::kConcat, "c", {other, rows, x}, AxisAttributes{2}));
  });
  expect_matches(graph, "mixed orders");
}

TEST(Layout, MapsAxesOfEveryOpOnChannelsFirstValues) {
  for (std::int64_t axis = 1; axis < 4; ++axis) {
    const std::string on = " on axis " + std::to_string(axis);
    expect_matches(after_convolution([&](Graph& g, NodeId x) {
                     g.add_output("y", g.add(Op::kSoftmax, "y", {x}, AxisAttributes{axis}));
                     g.add_output("i", g.add(Op::kArgMax, "i", {x}, AxisAttributes{axis}));
                     g.add_output("j", g.add(Op::kArgMin, "j", {x}, AxisAttributes{axis}));
                     const NodeId at = g.add_constant(
                         "at", Tensor::from_ints(ElementType::kInt64, {2, 2}, {0, 3, 1, 1}));
                     g.add_output("g", g.add(Op::kGather, "g", {x, at}, AxisAttributes{axis}));
                     ReduceAttributes max{ReduceKind::kMax, {axis}, false};
                     g.add_output("m", g.add(Op::kReduce, "m", {x}, max));
                   }),
                   "softmax, arg, gather, reduce" + on);
  }
  expect_matches(after_convolution([](Graph& g, NodeId x) {
                   SliceAttributes slice{{0, 6, 1, 3}, {kBatch, -1, 5, 0}, {1, -2, 3, -1}};
                   g.add_output("y", g.add(Op::kSlice, "y", {x}, slice));
                 }),
                 "slice");
}

TEST(Outputs, MayBeInputsConstantsAndShared) {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 5}});
  graph.add_input("unused", {kFloat, {kBatch, 2}});
  const NodeId same = graph.add(Op::kIdentity, "same", {x});
  const NodeId relu = graph.add(Op::kActivation, "relu", {same}, ActivationAttributes{});
  graph.add_output("a", relu);
  graph.add_output("b", relu);
  graph.add_output("input", same);
  graph.add_output("reshaped",
                   graph.add(Op::kReshape, "r", {x}, ReshapeAttributes{{kBatch, 5, 1}}));
  graph.add_output("constant", random_constant(graph, "c", {3}));
  expect_matches(graph, "outputs");
}

TEST(Outputs, MayBeReshapesOfWhatIsReadElsewhereToo) {
  for (const bool image_first : {false, true}) {
    Graph graph;
    const NodeId x = graph.add_input("x", {kFloat, {kBatch, 4, 6, 4}}, kNhwc);
    const NodeId tanh =
        graph.add(Op::kActivation, "tanh", {x}, ActivationAttributes{ActivationKind::kTanh, 0});
    const NodeId flat = graph.add(Op::kReshape, "flat", {tanh}, ReshapeAttributes{{kBatch, 96}});
    const NodeId again =
        graph.add(Op::kReshape, "again", {flat}, ReshapeAttributes{{kBatch, 8, 12}});
    const NodeId weights = random_constant(graph, "w", {3, 3, 4, 6});
    const NodeId conv = graph.add(Op::kConv2D, "conv", {tanh, weights}, ConvAttributes{});
    if (image_first) graph.add_output("conv", conv);
    graph.add_output("flat", flat);
    graph.add_output("again", again);
    if (!image_first) graph.add_output("conv", conv);
    expect_matches(graph, image_first ? "image first" : "flat first");
  }
}

}  // namespace
}  // namespace chexnet_trt::testing
