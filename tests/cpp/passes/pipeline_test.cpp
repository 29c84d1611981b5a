#include "passes/pipeline.hpp"

#include <random>

#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

/// A random chain with branches of the ops that passes rewrite.
class RandomNetwork {
 public:
  explicit RandomNetwork(unsigned seed) : engine_(seed) {
    layout_ = pick(2) == 0 ? TensorLayout::kNhwc : TensorLayout::kNchw;
    const Shape shape =
        layout_ == TensorLayout::kNhwc ? Shape{kBatch, 6, 6, 3} : Shape{kBatch, 3, 6, 6};
    value_ = graph_.add_input("x", {ElementType::kFloat32, shape}, layout_);
    for (int step = 0; step < 12; ++step) grow();
    graph_.add_output("y", value_);
    if (pick(2) == 0) graph_.add_output("middle", graph_.node(value_).inputs[0]);
  }

  const Graph& graph() const { return graph_; }

 private:
  int pick(int count) { return static_cast<int>(engine_() % static_cast<unsigned>(count)); }
  std::string name(const char* base) { return graph_.unique_name(base); }
  bool nhwc() const { return layout_ == TensorLayout::kNhwc; }

  NodeId constant(Shape shape, bool positive = false) {
    auto values = reference::random_values(static_cast<std::size_t>(element_count(shape)),
                                           static_cast<unsigned>(engine_()));
    for (double& value : values) value = positive ? value + 1.5 : value;
    return graph_.add_constant(name("c"),
                               tensor_from_doubles(ElementType::kFloat32, shape, values));
  }
  void add(Op op, std::vector<NodeId> inputs, Attributes attributes) {
    value_ = graph_.add(op, name("n"), std::move(inputs), std::move(attributes));
  }
  NodeId channel_vector() { return constant(nhwc() ? Shape{3} : Shape{3, 1, 1}, true); }

  void grow() {
    switch (pick(8)) {
      case 0: {
        ConvAttributes conv;
        conv.layout = layout_;
        conv.pads_begin = conv.pads_end = {1, 1};
        return add(Op::kConv2D, {value_, constant({3, 3, 3, 3})}, conv);
      }
      case 1: {
        const NodeId x = value_;
        return add(Op::kBatchNorm,
                   {x, constant({3}, true), constant({3}), constant({3}), constant({3}, true)},
                   BatchNormAttributes{layout_, 0.01});
      }
      case 2:
      case 3:
        return add(Op::kBinary, {value_, channel_vector()},
                   BinaryAttributes{static_cast<BinaryKind>(pick(4))});
      case 4: return add(Op::kActivation, {value_}, ActivationAttributes{ActivationKind::kRelu, 0});
      case 5: {
        PadAttributes pad{{0, 0, 0, 0}, {0, 0, 0, 0}};
        const std::size_t height = nhwc() ? 1 : 2;
        pad.pads_begin[height] = 1;
        pad.pads_end[height + 1] = 1;
        add(Op::kPad, {value_}, pad);
        PoolAttributes pool;
        pool.layout = layout_;
        pool.kernel = {2, 2};
        return add(pick(2) == 0 ? Op::kMaxPool : Op::kAveragePool, {value_}, pool);
      }
      case 6: return add(Op::kIdentity, {value_}, {});
      default:
        add(Op::kTranspose, {value_}, TransposeAttributes{{0, 2, 3, 1}});
        return add(Op::kTranspose, {value_}, TransposeAttributes{{0, 3, 1, 2}});
    }
  }

  std::mt19937 engine_;
  Graph graph_;
  TensorLayout layout_ = TensorLayout::kNhwc;
  NodeId value_ = -1;
};

TEST(Pipeline, KeepsValuesAndIsIdempotent) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const RandomNetwork network(seed);
    std::vector<PassCount> counts;
    const Graph once = optimize(network.graph(), &counts);
    expect_equal_values(network.graph(), once);
    EXPECT_EQ(counts.size(), 8U);
    const Graph twice = optimize(once, &counts);
    for (const PassCount& count : counts) EXPECT_EQ(count.rewrites, 0) << count.pass;
    EXPECT_EQ(to_text(once), to_text(twice));
    EXPECT_EQ(count_of(once, Op::kBatchNorm), 0);
    EXPECT_EQ(count_of(once, Op::kIdentity), 0);
  }
}

TEST(Pipeline, KeepsTheContract) {
  const Graph source = graph_from_text(
      R"("x" = input() element=float32 shape=[?,2] layout=plain : float32[?,2]
"i" = identity("x") : float32[?,2]
output "scores" = "i"
)");
  const Graph result = optimize(source);
  EXPECT_EQ(result.outputs()[0].name, "scores");
  EXPECT_EQ(result.node(result.outputs()[0].value).name, "x");
}

TEST(Pipeline, RefusesAGraphWithoutOutputs) {
  Graph graph;
  graph.add_input("x", {ElementType::kFloat32, {kBatch, 2}});
  EXPECT_THROW(optimize(graph), InputError);
}

}  // namespace
}  // namespace chexnet_trt::passes
