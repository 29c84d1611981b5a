#pragma once

#include <cmath>
#include <string>

#include "graph/graph.hpp"
#include "reference/interpreter.hpp"

// Small networks with the shapes of the two real ones, all weights random.

namespace chexnet_trt::testing {

inline NodeId random_constant(Graph& graph, const std::string& name, const Shape& shape,
                              double size, double middle = 0) {
  std::vector<double> values = reference::random_values(
      static_cast<std::size_t>(element_count(shape)), static_cast<unsigned>(name.size() + 17));
  for (double& value : values) value = middle + size * value;
  return graph.add_constant(name, tensor_from_doubles(ElementType::kFloat32, shape, values));
}

struct ConvShape {
  std::int64_t out = 8;
  Spatial kernel{1, 1};
  Spatial strides{1, 1};
  Spatial pads{0, 0};
  Spatial dilations{1, 1};
};

inline NodeId add_conv(Graph& graph, const std::string& name, NodeId x, const ConvShape& shape,
                       TensorLayout layout = TensorLayout::kNhwc) {
  const Shape& in = graph.node(x).type.shape;
  const std::int64_t channels = in[layout == TensorLayout::kNhwc ? 3 : 1];
  ConvAttributes attributes;
  attributes.layout = layout;
  attributes.strides = shape.strides;
  attributes.pads_begin = shape.pads;
  attributes.pads_end = shape.pads;
  attributes.dilations = shape.dilations;
  const double fan_in = static_cast<double>(shape.kernel[0] * shape.kernel[1] * channels);
  const NodeId weights =
      random_constant(graph, name + "/w", {shape.kernel[0], shape.kernel[1], channels, shape.out},
                      std::sqrt(6.0 / fan_in));
  return graph.add(Op::kConv2D, name, {x, weights}, attributes);
}

inline NodeId add_binary(Graph& graph, const std::string& name, BinaryKind kind, NodeId a,
                         NodeId b) {
  return graph.add(Op::kBinary, name, {a, b}, BinaryAttributes{kind});
}

inline NodeId add_activation(Graph& graph, const std::string& name, NodeId x,
                             ActivationKind kind = ActivationKind::kRelu) {
  return graph.add(Op::kActivation, name, {x}, ActivationAttributes{kind, 0.2});
}

inline NodeId add_bias(Graph& graph, const std::string& name, NodeId x, std::int64_t channels) {
  return add_binary(graph, name, BinaryKind::kAdd, x,
                    random_constant(graph, name + "/b", {channels}, 0.5));
}

/// relu(scale * x + shift)
inline NodeId add_preactivation(Graph& graph, const std::string& name, NodeId x,
                                std::int64_t channels) {
  const NodeId scaled = add_binary(graph, name + "/mul", BinaryKind::kMul, x,
                                   random_constant(graph, name + "/scale", {channels}, 0.3, 0.9));
  return add_activation(graph, name, add_bias(graph, name + "/add", scaled, channels));
}

inline NodeId add_image(Graph& graph, std::int64_t side, std::int64_t channels) {
  const NodeId x = graph.add_input("x", {ElementType::kFloat32, {kBatch, channels, side, side}},
                                   TensorLayout::kNchw);
  return graph.add(Op::kTranspose, "x/nhwc", {x}, TransposeAttributes{{0, 2, 3, 1}});
}

/// mean, dense layer, bias, sigmoid: the output "scores".
inline void add_head(Graph& graph, NodeId x, std::int64_t channels) {
  const NodeId mean =
      graph.add(Op::kReduce, "average", {x}, ReduceAttributes{ReduceKind::kMean, {1, 2}, false});
  const NodeId logits =
      graph.add(Op::kMatMul, "dense",
                {mean, random_constant(graph, "dense/w", {channels, 14}, 0.3)}, MatMulAttributes{});
  graph.add_output("scores", add_activation(graph, "sigmoid", add_bias(graph, "bias", logits, 14),
                                            ActivationKind::kSigmoid));
}

/// A stem and two pre-activation blocks, the second of stride 2.
inline Graph residual_network(std::int64_t side = 24) {
  Graph g;
  NodeId x = add_conv(g, "stem", add_image(g, side, 3), {32, {7, 7}, {2, 2}, {3, 3}});
  x = g.add(Op::kMaxPool, "pool", {x},
            PoolAttributes{TensorLayout::kNhwc, {3, 3}, {2, 2}, {0, 0}, {1, 1}});
  std::int64_t channels = 32;
  for (int block = 0; block < 3; ++block) {
    const std::string name = "block" + std::to_string(block);
    const Spatial strides = block == 2 ? Spatial{2, 2} : Spatial{1, 1};
    const NodeId active = add_preactivation(g, name + "/preact", x, channels);
    NodeId y = add_conv(g, name + "/a", active, {32});
    y = add_activation(g, name + "/a/relu", add_bias(g, name + "/a/bias", y, 32));
    y = add_conv(g, name + "/b", y, {32, {3, 3}, strides, {1, 1}});
    y = add_activation(g, name + "/b/relu", add_bias(g, name + "/b/bias", y, 32));
    y = add_conv(g, name + "/c", y, {64});
    const NodeId shortcut =
        block == 1 ? x : add_conv(g, name + "/shortcut", active, {64, {1, 1}, strides});
    x = add_binary(g, name + "/sum", BinaryKind::kAdd, y, shortcut);
    channels = 64;
  }
  add_head(g, add_preactivation(g, "last", x, 64), 64);
  return g;
}

/// Channels of two pointwise convolutions in a row.
struct PairShape {
  std::int64_t in = 64;
  std::int64_t middle = 256;
  std::int64_t out = 64;
};
enum class PairKind {
  kPreactivation,  ///< the sum is read once more, what is between the convolutions is not
  kSharedMiddle,   ///< both are
  kPlain,          ///< relu of the sum is what is between them, and read once more
};

/// A residual sum of a convolution and one that reads it: 9 x 9 pixels, so that tiles have rests.
inline Graph pair_network(const PairShape& shape, PairKind kind) {
  Graph g;
  const NodeId image = add_image(g, 9, 8);
  const NodeId start = add_activation(g, "start", add_conv(g, "start/conv", image, {shape.in}));
  const NodeId wide = add_conv(g, "wide", start, {shape.middle});
  const NodeId shortcut = add_conv(g, "shortcut", start, {shape.middle});
  const NodeId sum = add_binary(g, "sum", BinaryKind::kAdd, wide, shortcut);
  const NodeId middle = kind == PairKind::kPlain
                            ? add_activation(g, "middle", sum)
                            : add_preactivation(g, "middle", sum, shape.middle);
  const NodeId narrow = add_conv(g, "narrow", middle, {shape.out});
  const NodeId out = add_activation(g, "out", add_bias(g, "bias", narrow, shape.out));
  g.add_output("y", add_conv(g, "last", out, {16, {3, 3}, {2, 2}, {1, 1}}));
  if (kind != PairKind::kPreactivation) {
    g.add_output("z", add_conv(g, "other", middle, {16, {1, 1}, {2, 2}}));
  }
  if (kind != PairKind::kPlain) g.add_output("s", add_conv(g, "after", sum, {16, {1, 1}, {2, 2}}));
  return g;
}

/// Two dense blocks with a transition between; `growth` channels a layer.
inline Graph dense_network(std::int64_t growth = 16, std::int64_t side = 24) {
  Graph g;
  NodeId x = add_conv(g, "stem", add_image(g, side, 3), {32, {7, 7}, {2, 2}, {3, 3}});
  x = add_activation(g, "stem/relu", add_bias(g, "stem/bias", x, 32));
  x = g.add(Op::kMaxPool, "pool", {x},
            PoolAttributes{TensorLayout::kNhwc, {3, 3}, {2, 2}, {1, 1}, {1, 1}});
  std::int64_t channels = 32;
  for (int block = 0; block < 2; ++block) {
    for (int layer = 0; layer < 3; ++layer) {
      const std::string name = "block" + std::to_string(block) + "/" + std::to_string(layer);
      NodeId y =
          add_conv(g, name + "/a", add_preactivation(g, name + "/preact", x, channels), {32});
      y = add_activation(g, name + "/a/relu", add_bias(g, name + "/a/bias", y, 32));
      y = add_conv(g, name + "/b", y, {growth, {3, 3}, {1, 1}, {1, 1}});
      x = g.add(Op::kConcat, name + "/concat", {x, y}, AxisAttributes{3});
      channels += growth;
    }
    if (block == 1) break;
    x = add_preactivation(g, "transition", x, channels);
    x = g.add(Op::kAveragePool, "transition/pool", {x},
              PoolAttributes{TensorLayout::kNhwc, {2, 2}, {2, 2}, {0, 0}, {0, 0}});
    channels = 32;
    x = add_conv(g, "transition/conv", x, {channels});
  }
  add_head(g, add_preactivation(g, "last", x, channels), channels);
  return g;
}

/// Two convolutions side by side, scale-shift and relu of both, and a pointwise convolution of that:
/// 11 x 11 pixels and 96 channels, so that tiles and stages have rests. `is_shared`: another reads it.
inline Graph prologue_network(bool is_shared = false) {
  Graph g;
  const NodeId image = add_image(g, 11, 8);
  const NodeId both =
      g.add(Op::kConcat, "both", {add_conv(g, "a", image, {64}), add_conv(g, "b", image, {32})},
            AxisAttributes{3});
  const NodeId active = add_preactivation(g, "active", both, 96);
  const NodeId y = add_conv(g, "pointwise", active, {48});
  const NodeId relu = add_activation(g, "relu", add_bias(g, "bias", y, 48));
  g.add_output("y", add_conv(g, "next", relu, {16, {3, 3}}));
  g.add_output("z", add_conv(g, "other", is_shared ? active : both, {16, {3, 3}}));
  return g;
}

}  // namespace chexnet_trt::testing
