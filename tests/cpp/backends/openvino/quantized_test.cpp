#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "openvino/harness.hpp"
#include "passes/pipeline.hpp"
#include "passes/quantize.hpp"

// The quantised engine against the float64 interpreter of the same quantised graph, in steps of the
// quantiser whose value is compared: never more than one step off, and in less than 0.1 % of the
// values. Weights, inputs and thus ranges are random.

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;
constexpr auto kNhwc = TensorLayout::kNhwc;
constexpr std::int64_t kImages = 2;

/// Builds a network layer by layer; the functions return the value of the layer.
class Network {
 public:
  NodeId input(const Shape& shape) { return graph_.add_input("x", {kFloat, shape}, kNhwc); }

  NodeId conv(NodeId x, std::int64_t kernel, std::int64_t channels, ConvAttributes conv = {}) {
    const std::int64_t in = graph_.node(x).type.shape[3] / conv.groups;
    const NodeId weights = constant({kernel, kernel, in, channels});
    return graph_.add(Op::kConv2D, next("conv"), {x, weights}, conv);
  }
  NodeId same_conv(NodeId x, std::int64_t kernel, std::int64_t channels) {
    ConvAttributes attributes;
    attributes.pads_begin = attributes.pads_end = {kernel / 2, kernel / 2};
    return conv(x, kernel, channels, attributes);
  }
  NodeId bias(NodeId x) { return binary(BinaryKind::kAdd, x, constant({channels_of(x)})); }
  NodeId relu(NodeId x) {
    return graph_.add(Op::kActivation, next("relu"), {x}, ActivationAttributes{});
  }
  NodeId norm(NodeId x) { return bias(binary(BinaryKind::kMul, x, constant({channels_of(x)}))); }
  NodeId add(NodeId a, NodeId b) { return binary(BinaryKind::kAdd, a, b); }
  NodeId pool(Op op, NodeId x, std::int64_t kernel, std::int64_t stride, std::int64_t pad = 0) {
    return graph_.add(
        op, next("pool"), {x},
        PoolAttributes{kNhwc, {kernel, kernel}, {stride, stride}, {pad, pad}, {pad, pad}});
  }
  NodeId concat(const std::vector<NodeId>& parts) {
    return graph_.add(Op::kConcat, next("concat"), parts, AxisAttributes{3});
  }
  NodeId mean(NodeId x) {
    return graph_.add(Op::kReduce, next("mean"), {x},
                      ReduceAttributes{ReduceKind::kMean, {1, 2}, false});
  }
  NodeId dense(NodeId x, std::int64_t units) {
    const NodeId weights = constant({graph_.node(x).type.shape[1], units});
    return bias(graph_.add(Op::kMatMul, next("dense"), {x, weights}, MatMulAttributes{}));
  }
  Graph finish(NodeId y) {
    graph_.add_output("y", y);
    return std::move(graph_);
  }

 private:
  std::int64_t channels_of(NodeId x) const { return graph_.node(x).type.shape.back(); }
  NodeId binary(BinaryKind kind, NodeId a, NodeId b) {
    return graph_.add(Op::kBinary, next("binary"), {a, b}, BinaryAttributes{kind});
  }
  NodeId constant(const Shape& shape) {
    return random_constant(graph_, next("constant"), shape, ++seed_);
  }
  std::string next(const std::string& kind) { return kind + std::to_string(count_++); }

  Graph graph_;
  int count_ = 0;
  unsigned seed_ = 100;
};

/// amax of every point on `inputs`, a little too small for some values, so that both ends saturate.
DynamicRanges observe(const Graph& graph, const Arrays& inputs) {
  constexpr double kCoverage = 0.9;
  Graph probed = graph;
  const auto points = quantization_points(graph);
  for (const QuantizationPoint& point : points) {
    probed.add_output("point " + std::to_string(point.value), point.value);
  }
  const Arrays values = reference::interpret(probed, kImages, inputs);
  DynamicRanges ranges;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::vector<double>& observed = values[graph.outputs().size() + i];
    double amax = 0;
    for (const double value : observed) amax = std::max(amax, std::abs(value));
    ranges[graph.node(points[i].value).name] = kCoverage * amax;
  }
  return ranges;
}

struct Comparison {
  std::size_t count = 0;
  std::size_t off = 0;  ///< in another step
  double largest = 0;   ///< in steps
};

void compare(const std::vector<double>& actual, const std::vector<double>& expected, double step,
             Comparison& total) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double difference = std::abs(actual[i] - expected[i]) / step;
    total.largest = std::max(total.largest, difference);
    if (difference > 0.5) ++total.off;
  }
  total.count += actual.size();
}

double step_of(const Graph& quantized, const std::string& name) {
  return quantized.constant(quantized.find(name + "/scale"))->to_doubles()[0];
}

/// Every stored value of the engine against the interpreter, which goes on from the engine's own
/// earlier values: each rounding is judged alone.
Comparison compare_each(const Graph& quantized, const std::vector<std::string>& names,
                        const Arrays& inputs) {
  Graph probed = quantized;
  for (const std::string& name : names) {
    probed.add_output("stored " + name, quantized.find(name + "/dequantize"));
  }
  const auto executable = backend("openvino").compile(probed, options_for(kImages));
  const Arrays actual = run(*executable, probed, kImages, inputs);
  std::map<NodeId, std::vector<double>> known;
  Graph rounded = quantized;
  for (std::size_t i = 0; i < names.size(); ++i) {
    known[quantized.find(names[i] + "/dequantize")] = actual[quantized.outputs().size() + i];
    rounded.add_output("rounded " + names[i], quantized.find(names[i] + "/quantize"));
  }
  Arrays expected = reference::interpret(rounded, kImages, inputs, known);
  Comparison total;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t output = quantized.outputs().size() + i;
    const double step = step_of(quantized, names[i]);
    for (double& value : expected[output]) value *= step;
    compare(actual[output], expected[output], step, total);
  }
  return total;
}

/// The last stored value from the inputs on: nothing between is read, so everything is fused that
/// is fused in use.
Comparison compare_last(const Graph& quantized, const std::string& name, const Arrays& inputs) {
  Graph probed = quantized;
  probed.add_output("stored", quantized.find(name + "/dequantize"));
  const auto executable = backend("openvino").compile(probed, options_for(kImages));
  Comparison total;
  compare(run(*executable, probed, kImages, inputs).back(),
          reference::interpret(probed, kImages, inputs).back(), step_of(quantized, name), total);
  return total;
}

void expect_exact(const Comparison& total, const std::string& what) {
  EXPECT_LE(total.largest, 1.001) << what;
  EXPECT_LT(static_cast<double>(total.off), 0.001 * static_cast<double>(total.count)) << what;
}

void expect_exact(const Graph& network) {
  const Graph graph = optimize(network);
  const Arrays inputs = reference::random_inputs(graph, kImages, 7);
  const Graph quantized = quantize(graph, observe(graph, inputs));
  std::vector<std::string> names;
  for (const QuantizationPoint& point : quantization_points(graph)) {
    names.push_back(graph.node(point.value).name);
  }
  ASSERT_FALSE(names.empty());
  expect_exact(compare_each(quantized, names, inputs), "each stored value");
  expect_exact(compare_last(quantized, names.back(), inputs), "the last stored value");
}

TEST(Quantized, Convolutions) {
  ConvAttributes strided;
  strided.strides = {2, 2};
  strided.pads_begin = {1, 1};
  ConvAttributes grouped;
  grouped.groups = 4;
  const auto expect = [](std::int64_t kernel, ConvAttributes attributes, bool has_relu) {
    Network net;
    NodeId x = net.relu(net.bias(net.conv(net.input({kBatch, 17, 19, 4}), 1, 16)));
    x = net.bias(net.conv(x, kernel, 20, attributes));
    if (has_relu) x = net.relu(x);
    expect_exact(net.finish(net.conv(x, 1, 8)));
  };
  for (const bool has_relu : {false, true}) {
    expect(1, {}, has_relu);
    expect(3, {}, has_relu);
    expect(3, strided, has_relu);
    expect(3, grouped, has_relu);
  }
}

TEST(Quantized, ConvolutionChain) {
  Network net;
  NodeId x = net.relu(net.bias(net.same_conv(net.input({kBatch, 17, 19, 3}), 7, 16)));
  x = net.relu(net.bias(net.conv(x, 1, 32)));
  x = net.relu(net.bias(net.same_conv(x, 3, 20)));
  expect_exact(net.finish(net.conv(net.relu(net.conv(x, 1, 16)), 1, 8)));
}

TEST(Quantized, ResidualAdd) {
  Network net;
  const NodeId stem = net.conv(net.input({kBatch, 16, 16, 4}), 1, 16);
  const NodeId branch = net.bias(net.same_conv(net.relu(net.bias(net.conv(stem, 1, 16))), 3, 16));
  const NodeId sum = net.add(branch, stem);
  const NodeId again = net.add(net.conv(net.relu(sum), 1, 16), sum);
  expect_exact(net.finish(net.conv(net.relu(again), 1, 8)));
}

TEST(Quantized, Pooling) {
  for (const Op op : {Op::kMaxPool, Op::kAveragePool}) {
    for (const bool is_unsigned : {false, true}) {
      Network net;
      NodeId x = net.bias(net.same_conv(net.input({kBatch, 17, 16, 3}), 3, 16));
      if (is_unsigned) x = net.relu(x);
      x = net.pool(op, x, 3, 2, 1);
      expect_exact(net.finish(net.conv(net.relu(net.conv(x, 1, 16)), 1, 8)));
    }
  }
}

TEST(Quantized, Concat) {
  Network net;
  const NodeId x = net.input({kBatch, 16, 16, 4});
  const NodeId a = net.conv(x, 1, 16);
  const NodeId b = net.relu(net.same_conv(x, 3, 12));
  const NodeId joined = net.concat({a, b});
  const NodeId both = net.concat({joined, net.same_conv(net.relu(net.norm(joined)), 3, 16)});
  expect_exact(net.finish(net.conv(net.relu(net.conv(both, 1, 16)), 1, 8)));
}

TEST(Quantized, ScaleShiftAndRelu) {
  Network net;
  const NodeId x = net.conv(net.input({kBatch, 16, 16, 4}), 1, 16);
  const NodeId sum = net.add(net.conv(net.relu(net.norm(x)), 1, 16), x);
  expect_exact(net.finish(net.conv(net.relu(net.norm(sum)), 1, 8)));
}

TEST(Quantized, FullyConnected) {
  Network net;
  NodeId x = net.relu(net.conv(net.input({kBatch, 9, 9, 16}), 3, 64));
  x = net.relu(net.dense(net.mean(x), 128));
  x = net.dense(x, 48);
  expect_exact(net.finish(net.dense(x, 14)));
}

/// ResNet v2: pre-activated bottlenecks, a projection and a strided shortcut.
NodeId bottleneck(Network& net, NodeId x, std::int64_t channels, bool projects,
                  std::int64_t stride) {
  const NodeId active = net.relu(net.norm(x));
  NodeId shortcut = x;
  if (projects) shortcut = net.conv(active, 1, 4 * channels);
  if (stride > 1) shortcut = net.pool(Op::kMaxPool, shortcut, 1, stride);
  ConvAttributes attributes;
  attributes.strides = {stride, stride};
  attributes.pads_begin = attributes.pads_end = {1, 1};
  const NodeId reduced = net.relu(net.bias(net.conv(active, 1, channels)));
  const NodeId spread = net.relu(net.bias(net.conv(reduced, 3, channels, attributes)));
  return net.add(net.conv(spread, 1, 4 * channels), shortcut);
}

TEST(Quantized, SmallResNet) {
  Network net;
  NodeId x = net.same_conv(net.input({kBatch, 20, 20, 3}), 7, 16);
  x = net.pool(Op::kMaxPool, x, 3, 2, 1);
  x = bottleneck(net, x, 8, true, 1);
  x = bottleneck(net, x, 8, false, 1);
  x = bottleneck(net, x, 8, false, 2);
  expect_exact(net.finish(net.dense(net.mean(net.relu(net.norm(x))), 14)));
}

TEST(Quantized, SmallDenseNet) {
  Network net;
  NodeId x = net.relu(net.bias(net.same_conv(net.input({kBatch, 24, 24, 3}), 7, 16)));
  x = net.pool(Op::kMaxPool, x, 3, 2, 1);
  for (int block = 0; block < 2; ++block) {
    for (int layer = 0; layer < 2; ++layer) {
      const NodeId wide = net.relu(net.bias(net.conv(net.relu(net.norm(x)), 1, 32)));
      x = net.concat({x, net.same_conv(wide, 3, 8)});
    }
    if (block == 0) {
      x = net.pool(Op::kAveragePool, net.conv(net.relu(net.norm(x)), 1, 16), 2, 2);
    }
  }
  expect_exact(net.finish(net.dense(net.mean(net.relu(net.norm(x))), 14)));
}

}  // namespace
}  // namespace chexnet_trt::testing
