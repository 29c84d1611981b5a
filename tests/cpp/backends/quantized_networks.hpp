#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "reference/interpreter.hpp"

// Small networks to be quantised, with random weights.

namespace chexnet_trt::testing {

/// Builds a network layer by layer; the functions return the value of the layer.
class QuantizedNetwork {
 public:
  NodeId input(const Shape& shape) {
    return graph_.add_input("x", {ElementType::kFloat32, shape}, TensorLayout::kNhwc);
  }

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
        PoolAttributes{
            TensorLayout::kNhwc, {kernel, kernel}, {stride, stride}, {pad, pad}, {pad, pad}});
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
    const std::vector<double> values =
        reference::random_values(static_cast<std::size_t>(element_count(shape)), ++seed_);
    return graph_.add_constant(next("constant"),
                               tensor_from_doubles(ElementType::kFloat32, shape, values));
  }
  std::string next(const std::string& kind) { return kind + std::to_string(count_++); }

  Graph graph_;
  int count_ = 0;
  unsigned seed_ = 100;
};

inline Graph quantized_convolution(std::int64_t kernel, const ConvAttributes& attributes,
                                   bool has_relu) {
  QuantizedNetwork net;
  NodeId x = net.relu(net.bias(net.conv(net.input({kBatch, 17, 19, 4}), 1, 16)));
  x = net.bias(net.conv(x, kernel, 20, attributes));
  if (has_relu) x = net.relu(x);
  return net.finish(net.conv(x, 1, 8));
}

inline ConvAttributes strided_convolution() {
  ConvAttributes attributes;
  attributes.strides = {2, 2};
  attributes.pads_begin = {1, 1};
  return attributes;
}

inline ConvAttributes grouped_convolution() {
  ConvAttributes attributes;
  attributes.groups = 4;
  return attributes;
}

inline Graph quantized_convolution_chain() {
  QuantizedNetwork net;
  NodeId x = net.relu(net.bias(net.same_conv(net.input({kBatch, 17, 19, 3}), 7, 16)));
  x = net.relu(net.bias(net.conv(x, 1, 32)));
  x = net.relu(net.bias(net.same_conv(x, 3, 20)));
  return net.finish(net.conv(net.relu(net.conv(x, 1, 16)), 1, 8));
}

inline Graph quantized_residual_add() {
  QuantizedNetwork net;
  const NodeId stem = net.conv(net.input({kBatch, 16, 16, 4}), 1, 16);
  const NodeId branch = net.bias(net.same_conv(net.relu(net.bias(net.conv(stem, 1, 16))), 3, 16));
  const NodeId sum = net.add(branch, stem);
  const NodeId again = net.add(net.conv(net.relu(sum), 1, 16), sum);
  return net.finish(net.conv(net.relu(again), 1, 8));
}

inline Graph quantized_pooling(Op op, bool is_unsigned) {
  QuantizedNetwork net;
  NodeId x = net.bias(net.same_conv(net.input({kBatch, 17, 16, 3}), 3, 16));
  if (is_unsigned) x = net.relu(x);
  x = net.pool(op, x, 3, 2, 1);
  return net.finish(net.conv(net.relu(net.conv(x, 1, 16)), 1, 8));
}

inline Graph quantized_concat() {
  QuantizedNetwork net;
  const NodeId x = net.input({kBatch, 16, 16, 4});
  const NodeId a = net.conv(x, 1, 16);
  const NodeId b = net.relu(net.same_conv(x, 3, 12));
  const NodeId joined = net.concat({a, b});
  const NodeId both = net.concat({joined, net.same_conv(net.relu(net.norm(joined)), 3, 16)});
  return net.finish(net.conv(net.relu(net.conv(both, 1, 16)), 1, 8));
}

inline Graph quantized_scale_shift_and_relu() {
  QuantizedNetwork net;
  const NodeId x = net.conv(net.input({kBatch, 16, 16, 4}), 1, 16);
  const NodeId sum = net.add(net.conv(net.relu(net.norm(x)), 1, 16), x);
  return net.finish(net.conv(net.relu(net.norm(sum)), 1, 8));
}

inline Graph quantized_fully_connected() {
  QuantizedNetwork net;
  NodeId x = net.relu(net.conv(net.input({kBatch, 9, 9, 16}), 3, 64));
  x = net.relu(net.dense(net.mean(x), 128));
  x = net.dense(x, 48);
  return net.finish(net.dense(x, 14));
}

/// ResNet v2: pre-activated bottlenecks, a projection and a strided shortcut.
inline NodeId bottleneck(QuantizedNetwork& net, NodeId x, std::int64_t channels, bool projects,
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

inline Graph quantized_small_resnet() {
  QuantizedNetwork net;
  NodeId x = net.same_conv(net.input({kBatch, 20, 20, 3}), 7, 16);
  x = net.pool(Op::kMaxPool, x, 3, 2, 1);
  x = bottleneck(net, x, 8, true, 1);
  x = bottleneck(net, x, 8, false, 1);
  x = bottleneck(net, x, 8, false, 2);
  return net.finish(net.dense(net.mean(net.relu(net.norm(x))), 14));
}

inline Graph quantized_small_densenet() {
  QuantizedNetwork net;
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
  return net.finish(net.dense(net.mean(net.relu(net.norm(x))), 14));
}

}  // namespace chexnet_trt::testing
