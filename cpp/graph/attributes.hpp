#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/element_type.hpp"
#include "common/shape.hpp"
#include "common/tensor.hpp"

namespace chexnet_trt {

/// Meaning of a rank-4 tensor's axes. `kPlain` claims none.
enum class TensorLayout { kPlain, kNhwc, kNchw };

enum class BinaryKind { kAdd, kSub, kMul, kDiv, kMin, kMax, kPow };
enum class UnaryKind {
  kNeg,
  kExp,
  kLog,
  kAbs,
  kSqrt,
  kRsqrt,
  kSquare,
  kSin,
  kCos,
  kTan,
  kSinh,
  kCosh,
  kAsin,
  kAcos,
  kAtan,
  kAsinh,
  kAcosh,
  kAtanh,
  kCeil,
  kFloor
};
enum class ActivationKind {
  kRelu,
  kRelu6,
  kSigmoid,
  kTanh,
  kElu,
  kSelu,
  kSoftsign,
  kSoftplus,
  kLeakyRelu
};
enum class ReduceKind { kSum, kProd, kMax, kMin, kMean };

/// {height, width}
using Spatial = std::array<std::int64_t, 2>;
/// One entry an axis.
using Axes = std::vector<std::int64_t>;

// Each struct lists its fields once, in `visit`; the text form and the hash follow from that.

struct NoAttributes {
  template <typename Self, typename Visitor>
  static void visit(Self& /*self*/, Visitor&& /*visitor*/) {}
};

struct InputAttributes {
  ElementType element = ElementType::kFloat32;
  Shape shape;
  TensorLayout layout = TensorLayout::kPlain;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("element", self.element);
    visitor("shape", self.shape);
    visitor("layout", self.layout);
  }
};

struct ConstantAttributes {
  Tensor value;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("value", self.value);
  }
};

/// Inputs: x, weights (HWIO; I is the number of input channels of one group).
/// out = floor((in + pads_begin + pads_end - dilation * (k - 1) - 1) / stride) + 1
struct ConvAttributes {
  TensorLayout layout = TensorLayout::kNhwc;
  Spatial strides{1, 1};
  Spatial dilations{1, 1};
  Spatial pads_begin{0, 0};
  Spatial pads_end{0, 0};
  std::int64_t groups = 1;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("layout", self.layout);
    visitor("strides", self.strides);
    visitor("dilations", self.dilations);
    visitor("pads_begin", self.pads_begin);
    visitor("pads_end", self.pads_end);
    visitor("groups", self.groups);
  }
};

/// Inputs: x, weights (H, W, out, in). The gradient of a Conv2D whose input has `output_size` and
/// whose padding is `pads_begin` / `pads_end`.
struct ConvTransposeAttributes {
  TensorLayout layout = TensorLayout::kNhwc;
  Spatial strides{1, 1};
  Spatial pads_begin{0, 0};
  Spatial pads_end{0, 0};
  Spatial output_size{0, 0};

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("layout", self.layout);
    visitor("strides", self.strides);
    visitor("pads_begin", self.pads_begin);
    visitor("pads_end", self.pads_end);
    visitor("output_size", self.output_size);
  }
};

/// Padding never takes part: a maximum ignores it and an average divides by the pixels inside.
struct PoolAttributes {
  TensorLayout layout = TensorLayout::kNhwc;
  Spatial kernel{1, 1};
  Spatial strides{1, 1};
  Spatial pads_begin{0, 0};
  Spatial pads_end{0, 0};

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("layout", self.layout);
    visitor("kernel", self.kernel);
    visitor("strides", self.strides);
    visitor("pads_begin", self.pads_begin);
    visitor("pads_end", self.pads_end);
  }
};

/// Inputs: two matrices.
struct MatMulAttributes {
  bool transpose_a = false;
  bool transpose_b = false;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("transpose_a", self.transpose_a);
    visitor("transpose_b", self.transpose_b);
  }
};

/// Two inputs of one element type, broadcast as NumPy does.
struct BinaryAttributes {
  BinaryKind kind = BinaryKind::kAdd;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("kind", self.kind);
  }
};

struct UnaryAttributes {
  UnaryKind kind = UnaryKind::kNeg;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("kind", self.kind);
  }
};

/// `alpha` is the slope below zero of a leaky relu; the others ignore it.
struct ActivationAttributes {
  ActivationKind kind = ActivationKind::kRelu;
  double alpha = 0;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("kind", self.kind);
    visitor("alpha", self.alpha);
  }
};

/// Inputs: x, gamma, beta, mean, variance (each [channels]).
/// gamma * (x - mean) / sqrt(variance + epsilon) + beta
struct BatchNormAttributes {
  TensorLayout layout = TensorLayout::kNhwc;
  double epsilon = 0;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("layout", self.layout);
    visitor("epsilon", self.epsilon);
  }
};

/// x / (bias + alpha * sum of squares over the channels c - radius ... c + radius) ** beta
struct LrnAttributes {
  TensorLayout layout = TensorLayout::kNhwc;
  std::int64_t radius = 0;
  double alpha = 0;
  double beta = 0;
  double bias = 0;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("layout", self.layout);
    visitor("radius", self.radius);
    visitor("alpha", self.alpha);
    visitor("beta", self.beta);
    visitor("bias", self.bias);
  }
};

/// Of Softmax, ArgMax, ArgMin, Concat, Gather and Dequantize; never negative. Dequantize's inputs are
/// q (int8 or uint8) and scale (float32, shape [], or [C] with one scale an index of the axis):
/// q * scale.
struct AxisAttributes {
  std::int64_t axis = 0;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("axis", self.axis);
  }
};

/// `axes`: ascending, never negative.
struct ReduceAttributes {
  ReduceKind kind = ReduceKind::kSum;
  Axes axes;
  bool keep_dims = false;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("kind", self.kind);
    visitor("axes", self.axes);
    visitor("keep_dims", self.keep_dims);
  }
};

/// The whole new shape, with `kBatch` first exactly when the input has it first.
struct ReshapeAttributes {
  Shape shape;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("shape", self.shape);
  }
};

/// Axis i of the result is axis `permutation[i]` of the input.
struct TransposeAttributes {
  Axes permutation;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("permutation", self.permutation);
  }
};

/// Zeros around the input, one entry an axis.
struct PadAttributes {
  Axes pads_begin;
  Axes pads_end;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("pads_begin", self.pads_begin);
    visitor("pads_end", self.pads_end);
  }
};

/// begin, begin + stride, ... below end (above it for a negative stride), one entry an axis. `end`
/// is -1 where a negative stride runs through index 0. The batch axis is 0, kBatch, 1.
struct SliceAttributes {
  Axes begin;
  Axes end;
  Axes strides;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("begin", self.begin);
    visitor("end", self.end);
    visitor("strides", self.strides);
  }
};

struct CastAttributes {
  ElementType to = ElementType::kFloat32;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("to", self.to);
  }
};

/// Inputs: x (float32), scale (float32, shape []). Symmetric, without a zero point:
/// saturate(round_half_to_even(x / scale)), to -128 ... 127 or 0 ... 255.
struct QuantizeAttributes {
  ElementType element = ElementType::kInt8;

  template <typename Self, typename Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("element", self.element);
  }
};

using Attributes =
    std::variant<NoAttributes, InputAttributes, ConstantAttributes, ConvAttributes,
                 ConvTransposeAttributes, PoolAttributes, MatMulAttributes, BinaryAttributes,
                 UnaryAttributes, ActivationAttributes, BatchNormAttributes, LrnAttributes,
                 AxisAttributes, ReduceAttributes, ReshapeAttributes, TransposeAttributes,
                 PadAttributes, SliceAttributes, CastAttributes, QuantizeAttributes>;

// The names of enumerators in the text form and in messages ("add", "relu", "nhwc", ...). The
// inverses raise InputError.
std::string_view name_of(TensorLayout value);
std::string_view name_of(BinaryKind value);
std::string_view name_of(UnaryKind value);
std::string_view name_of(ActivationKind value);
std::string_view name_of(ReduceKind value);
void from_name(std::string_view name, TensorLayout& value);
void from_name(std::string_view name, BinaryKind& value);
void from_name(std::string_view name, UnaryKind& value);
void from_name(std::string_view name, ActivationKind& value);
void from_name(std::string_view name, ReduceKind& value);

}  // namespace chexnet_trt
