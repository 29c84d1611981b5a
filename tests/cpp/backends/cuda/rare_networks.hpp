#pragma once

#include <string>
#include <utility>
#include <vector>

#include "backends/cuda/networks.hpp"
#include "graph/attributes.hpp"

// Networks of ops that are rare in image classifiers, with random weights.

namespace chexnet_trt::testing {

struct NamedGraph {
  std::string name;
  Graph graph;
};

/// middle + size * v of every number v.
inline NodeId add_range(Graph& g, NodeId x, float size, float middle, const std::string& name) {
  const NodeId scaled = add_binary(g, name + "/mul", BinaryKind::kMul, x,
                                   g.add_constant(name + "/size", Tensor::from_floats({}, {size})));
  return add_binary(g, name, BinaryKind::kAdd, scaled,
                    g.add_constant(name + "/middle", Tensor::from_floats({}, {middle})));
}

inline NodeId add_nchw_image(Graph& g, std::int64_t height, std::int64_t width,
                             std::int64_t channels) {
  return g.add_input("x", {ElementType::kFloat32, {kBatch, channels, height, width}},
                     TensorLayout::kNchw);
}

/// LeNet's end: an image as a row, dense layers, softmax.
inline Graph flattened_network(TensorLayout layout) {
  const bool is_nhwc = layout == TensorLayout::kNhwc;
  Graph g;
  NodeId x = is_nhwc ? add_image(g, 7, 3) : add_nchw_image(g, 7, 7, 3);
  x = add_conv(g, "conv", x, {6, {3, 3}, {2, 2}}, layout);
  x = g.add(Op::kReshape, "flat", {x}, ReshapeAttributes{{kBatch, 54}});
  x = g.add(Op::kMatMul, "dense", {x, random_constant(g, "w", {54, 10}, 0.3)}, MatMulAttributes{});
  x = add_bias(g, "bias", x, 10);
  g.add_output("y", g.add(Op::kSoftmax, "softmax", {x}, AxisAttributes{1}));
  return g;
}

inline Graph softmax_of_pixels(TensorLayout layout) {
  Graph g;
  const bool is_nhwc = layout == TensorLayout::kNhwc;
  const NodeId x = is_nhwc ? add_image(g, 5, 7) : add_nchw_image(g, 5, 4, 7);
  g.add_output("y", g.add(Op::kSoftmax, "softmax", {x}, AxisAttributes{is_nhwc ? 3 : 1}));
  return g;
}

/// A convolution of `channels` in `groups`, between two that are not grouped.
inline Graph grouped_network(std::int64_t channels, std::int64_t groups, const Spatial& strides) {
  Graph g;
  NodeId x = add_conv(g, "first", add_image(g, 9, 5), {channels});
  x = add_activation(g, "first/relu", add_bias(g, "first/bias", x, channels));
  ConvAttributes attributes;
  attributes.strides = strides;
  attributes.pads_begin = attributes.pads_end = {1, 1};
  attributes.groups = groups;
  const Shape shape{3, 3, channels / groups, 2 * channels};
  x = g.add(Op::kConv2D, "grouped", {x, random_constant(g, "grouped/w", shape, 0.6)}, attributes);
  x = add_activation(g, "relu", add_bias(g, "bias", x, 2 * channels));
  g.add_output("y", add_conv(g, "last", x, {8}));
  return g;
}

inline Graph transposed_network(const Spatial& strides, const Spatial& pads) {
  Graph g;
  const NodeId x = add_image(g, 5, 6);
  ConvTransposeAttributes attributes;
  attributes.strides = strides;
  attributes.pads_begin = attributes.pads_end = pads;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    attributes.output_size[axis] = 4 * strides[axis] + 3 - 2 * pads[axis];
  }
  const NodeId weights = random_constant(g, "w", {3, 3, 4, 6}, 0.3);
  const NodeId y = g.add(Op::kConvTranspose2D, "transposed", {x, weights}, attributes);
  g.add_output("y", add_activation(g, "relu", add_bias(g, "bias", y, 4)));
  return g;
}

/// Every unary op, of numbers within 0.1 ... 0.9, or above 1 where it needs that.
inline Graph unary_network() {
  Graph g;
  const NodeId x = add_image(g, 3, 5);
  const NodeId below = add_range(g, x, 0.4F, 0.5F, "below");
  const NodeId above = add_range(g, x, 0.4F, 1.6F, "above");
  for (int kind = 0; kind <= static_cast<int>(UnaryKind::kFloor); ++kind) {
    const UnaryAttributes attributes{static_cast<UnaryKind>(kind)};
    const std::string name(name_of(attributes.kind));
    const NodeId from = attributes.kind == UnaryKind::kAcosh ? above : below;
    g.add_output("y " + name, g.add(Op::kUnary, name, {from}, attributes));
  }
  return g;
}

/// Every binary op: of two images, of an image and one pixel, with constants on either side.
inline Graph binary_network() {
  Graph g;
  const NodeId x = add_image(g, 4, 5);
  const NodeId a = add_range(g, x, 0.4F, 0.5F, "a");
  const NodeId b = add_activation(g, "b", add_conv(g, "conv", x, {5}), ActivationKind::kSigmoid);
  const NodeId pixel =
      g.add(Op::kReduce, "pixel", {b}, ReduceAttributes{ReduceKind::kMean, {1, 2}, true});
  const NodeId constant = random_constant(g, "constant", {5}, 0.3, 0.6);
  for (int kind = 0; kind <= static_cast<int>(BinaryKind::kPow); ++kind) {
    const auto binary = static_cast<BinaryKind>(kind);
    const std::string name(name_of(binary));
    const std::pair<NodeId, NodeId> operands[] = {{a, b},     {b, a},        {a, pixel},
                                                  {pixel, a}, {a, constant}, {constant, a}};
    for (const auto& [left, right] : operands) {
      const std::string node = name + " " + std::to_string(left) + " " + std::to_string(right);
      g.add_output("y " + node, add_binary(g, node, binary, left, right));
    }
  }
  return g;
}

inline Graph window_network(TensorLayout layout) {
  Graph g;
  const bool is_nhwc = layout == TensorLayout::kNhwc;
  const NodeId x = is_nhwc ? add_image(g, 6, 5) : add_nchw_image(g, 6, 6, 5);
  const auto axes = [&](std::int64_t batch, std::int64_t y, std::int64_t x_axis, std::int64_t c) {
    return is_nhwc ? Axes{batch, y, x_axis, c} : Axes{batch, c, y, x_axis};
  };
  g.add_output("padded",
               g.add(Op::kPad, "pad", {x}, PadAttributes{axes(0, 1, 0, 2), axes(0, 2, 3, 0)}));
  g.add_output("sliced",
               g.add(Op::kSlice, "slice", {x},
                     SliceAttributes{axes(0, 1, 0, 0), axes(kBatch, 6, 5, 3), axes(1, 2, 1, 1)}));
  g.add_output("reversed", g.add(Op::kSlice, "reverse", {x},
                                 SliceAttributes{axes(0, 5, 4, 1), axes(kBatch, -1, 0, 5),
                                                 axes(1, -1, -2, 1)}));
  return g;
}

inline Graph lrn_network() {
  Graph g;
  const NodeId x = add_image(g, 4, 9);
  g.add_output("y",
               g.add(Op::kLrn, "lrn", {x}, LrnAttributes{TensorLayout::kNhwc, 2, 0.3, 0.75, 1.5}));
  return g;
}

inline Graph reduce_network() {
  Graph g;
  const NodeId x = add_range(g, add_image(g, 4, 9), 0.2F, 1, "range");
  for (const ReduceKind kind : {ReduceKind::kSum, ReduceKind::kProd, ReduceKind::kMax,
                                ReduceKind::kMin, ReduceKind::kMean}) {
    const std::string name(name_of(kind));
    g.add_output("y " + name, g.add(Op::kReduce, name, {x}, ReduceAttributes{kind, {1, 2}, false}));
  }
  return g;
}

inline Graph arg_network() {
  Graph g;
  const NodeId x = g.add_input("x", {ElementType::kFloat32, {kBatch, 9}});
  g.add_output("largest", g.add(Op::kArgMax, "largest/node", {x}, AxisAttributes{1}));
  g.add_output("least", g.add(Op::kArgMin, "least/node", {x}, AxisAttributes{1}));
  return g;
}

inline std::vector<NamedGraph> rare_networks() {
  std::vector<NamedGraph> all;
  for (const TensorLayout layout : {TensorLayout::kNhwc, TensorLayout::kNchw}) {
    const std::string name(name_of(layout));
    all.push_back({"flatten " + name, flattened_network(layout)});
    all.push_back({"softmax " + name, softmax_of_pixels(layout)});
    all.push_back({"window " + name, window_network(layout)});
  }
  all.push_back({"grouped", grouped_network(12, 3, {1, 1})});
  all.push_back({"depthwise", grouped_network(10, 10, {2, 2})});
  all.push_back({"transposed", transposed_network({1, 1}, {0, 0})});
  all.push_back({"transposed, strided", transposed_network({2, 3}, {1, 1})});
  all.push_back({"unary", unary_network()});
  all.push_back({"binary", binary_network()});
  all.push_back({"lrn", lrn_network()});
  all.push_back({"reduce", reduce_network()});
  all.push_back({"arg", arg_network()});
  return all;
}

}  // namespace chexnet_trt::testing
