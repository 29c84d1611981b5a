#include "graph/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "common/error.hpp"

namespace chexnet_trt::evaluators {
namespace {

/// Row-major strides of `shape`, in elements.
std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    strides[axis - 1] = strides[axis] * shape[axis];
  }
  return strides;
}

/// Calls `visit(flat, index)` for every index of `shape`, in row-major order.
template <typename Visit>
void for_each_index(const Shape& shape, Visit visit) {
  const std::int64_t count = element_count(shape);
  std::vector<std::int64_t> index(shape.size(), 0);
  for (std::int64_t flat = 0; flat < count; ++flat) {
    visit(static_cast<std::size_t>(flat), index);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/// Builds `type` by asking for the source offset (in elements) of each of its elements; a negative
/// offset means zero. Moves bytes, so every element type is exact.
template <typename SourceOffset>
Tensor rearrange(const Tensor& source, const ValueType& type, SourceOffset source_offset) {
  const std::size_t size = size_of(type.element);
  std::vector<std::byte> bytes(static_cast<std::size_t>(element_count(type.shape)) * size);
  for_each_index(type.shape, [&](std::size_t flat, const std::vector<std::int64_t>& index) {
    const std::int64_t offset = source_offset(index);
    if (offset < 0) return;
    std::copy_n(source.bytes().data + static_cast<std::size_t>(offset) * size, size,
                bytes.begin() + static_cast<std::ptrdiff_t>(flat * size));
  });
  return Tensor::copy(type.element, type.shape, {bytes.data(), bytes.size()});
}

double apply(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd: return a + b;
    case BinaryKind::kSub: return a - b;
    case BinaryKind::kMul: return a * b;
    case BinaryKind::kDiv: return a / b;
    case BinaryKind::kMin: return std::min(a, b);
    case BinaryKind::kMax: return std::max(a, b);
    case BinaryKind::kPow: return std::pow(a, b);
  }
  throw Error("unhandled binary kind");
}

/// Wraps around like a product of `exponent` factors, by squaring.
std::int64_t power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) throw InputError("a constant integer is raised to a negative power");
  std::uint64_t result = 1;
  auto square = static_cast<std::uint64_t>(base);
  for (auto rest = static_cast<std::uint64_t>(exponent); rest != 0; rest >>= 1U) {
    if ((rest & 1U) != 0) result *= square;
    square *= square;
  }
  return static_cast<std::int64_t>(result);
}

/// In 64 bits with wrap-around, division towards zero; the store into a narrower type saturates.
std::int64_t apply_integer(BinaryKind kind, std::int64_t a, std::int64_t b) {
  const auto ua = static_cast<std::uint64_t>(a);
  const auto ub = static_cast<std::uint64_t>(b);
  switch (kind) {
    case BinaryKind::kAdd: return static_cast<std::int64_t>(ua + ub);
    case BinaryKind::kSub: return static_cast<std::int64_t>(ua - ub);
    case BinaryKind::kMul: return static_cast<std::int64_t>(ua * ub);
    case BinaryKind::kDiv:
      if (b == 0) throw InputError("a constant is divided by zero");
      return b == -1 ? static_cast<std::int64_t>(0U - ua) : a / b;
    case BinaryKind::kMin: return std::min(a, b);
    case BinaryKind::kMax: return std::max(a, b);
    case BinaryKind::kPow: return power(a, b);
  }
  throw Error("unhandled binary kind");
}

double apply(UnaryKind kind, double x) {
  switch (kind) {
    case UnaryKind::kNeg: return -x;
    case UnaryKind::kExp: return std::exp(x);
    case UnaryKind::kLog: return std::log(x);
    case UnaryKind::kAbs: return std::abs(x);
    case UnaryKind::kSqrt: return std::sqrt(x);
    case UnaryKind::kRsqrt: return 1.0 / std::sqrt(x);
    case UnaryKind::kSquare: return x * x;
    case UnaryKind::kSin: return std::sin(x);
    case UnaryKind::kCos: return std::cos(x);
    case UnaryKind::kTan: return std::tan(x);
    case UnaryKind::kSinh: return std::sinh(x);
    case UnaryKind::kCosh: return std::cosh(x);
    case UnaryKind::kAsin: return std::asin(x);
    case UnaryKind::kAcos: return std::acos(x);
    case UnaryKind::kAtan: return std::atan(x);
    case UnaryKind::kAsinh: return std::asinh(x);
    case UnaryKind::kAcosh: return std::acosh(x);
    case UnaryKind::kAtanh: return std::atanh(x);
    case UnaryKind::kCeil: return std::ceil(x);
    case UnaryKind::kFloor: return std::floor(x);
  }
  throw Error("unhandled unary kind");
}

double apply(const ActivationAttributes& activation, double x) {
  constexpr double kSeluAlpha = 1.6732632423543772;
  constexpr double kSeluScale = 1.0507009873554805;
  switch (activation.kind) {
    case ActivationKind::kRelu: return std::max(x, 0.0);
    case ActivationKind::kRelu6: return std::clamp(x, 0.0, 6.0);
    case ActivationKind::kSigmoid: return 1.0 / (1.0 + std::exp(-x));
    case ActivationKind::kTanh: return std::tanh(x);
    case ActivationKind::kElu: return x > 0 ? x : std::expm1(x);
    case ActivationKind::kSelu: return kSeluScale * (x > 0 ? x : kSeluAlpha * std::expm1(x));
    case ActivationKind::kSoftsign: return x / (1.0 + std::abs(x));
    case ActivationKind::kSoftplus: return x > 30 ? x : std::log1p(std::exp(x));
    case ActivationKind::kLeakyRelu: return x > 0 ? x : activation.alpha * x;
  }
  throw Error("unhandled activation kind");
}

/// Offset of the element that broadcasting reads at `index` of the wider shape.
std::int64_t broadcast_offset(const Shape& shape, const std::vector<std::int64_t>& strides,
                              const std::vector<std::int64_t>& index) {
  std::int64_t offset = 0;
  const std::size_t skipped = index.size() - shape.size();
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] != 1) offset += index[skipped + axis] * strides[axis];
  }
  return offset;
}

template <typename Value, typename Function>
std::vector<Value> broadcast_map(const Tensor& a, const Tensor& b,
                                 const std::vector<Value>& values_a,
                                 const std::vector<Value>& values_b, const Shape& shape,
                                 Function function) {
  const std::vector<std::int64_t> strides_a = strides_of(a.shape());
  const std::vector<std::int64_t> strides_b = strides_of(b.shape());
  std::vector<Value> result(static_cast<std::size_t>(element_count(shape)));
  for_each_index(shape, [&](std::size_t flat, const std::vector<std::int64_t>& index) {
    const auto from_a = static_cast<std::size_t>(broadcast_offset(a.shape(), strides_a, index));
    const auto from_b = static_cast<std::size_t>(broadcast_offset(b.shape(), strides_b, index));
    result[flat] = function(values_a[from_a], values_b[from_b]);
  });
  return result;
}

template <typename Function>
Tensor map_doubles(const Tensor& input, const ValueType& type, Function function) {
  std::vector<double> values = input.to_doubles();
  std::transform(values.begin(), values.end(), values.begin(), function);
  return tensor_from_doubles(type.element, type.shape, values);
}

double reduce_identity(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::kProd: return 1;
    case ReduceKind::kMax: return -std::numeric_limits<double>::infinity();
    case ReduceKind::kMin: return std::numeric_limits<double>::infinity();
    default: return 0;
  }
}

double reduce_step(ReduceKind kind, double accumulator, double value) {
  switch (kind) {
    case ReduceKind::kProd: return accumulator * value;
    case ReduceKind::kMax: return std::max(accumulator, value);
    case ReduceKind::kMin: return std::min(accumulator, value);
    default: return accumulator + value;
  }
}

}  // namespace

Tensor identity(const std::vector<Tensor>& inputs, const Attributes& /*attributes*/,
                const ValueType& /*type*/) {
  return inputs[0];
}

Tensor binary(const std::vector<Tensor>& inputs, const Attributes& attributes,
              const ValueType& type) {
  const BinaryKind kind = std::get<BinaryAttributes>(attributes).kind;
  const Tensor& a = inputs[0];
  const Tensor& b = inputs[1];
  if (!is_floating(type.element)) {
    const std::vector<std::int64_t> values =
        broadcast_map(a, b, a.to_ints(), b.to_ints(), type.shape,
                      [kind](std::int64_t x, std::int64_t y) { return apply_integer(kind, x, y); });
    return Tensor::from_ints(type.element, type.shape, values);
  }
  const std::vector<double> values =
      broadcast_map(a, b, a.to_doubles(), b.to_doubles(), type.shape,
                    [kind](double x, double y) { return apply(kind, x, y); });
  return tensor_from_doubles(type.element, type.shape, values);
}

Tensor unary(const std::vector<Tensor>& inputs, const Attributes& attributes,
             const ValueType& type) {
  const UnaryKind kind = std::get<UnaryAttributes>(attributes).kind;
  return map_doubles(inputs[0], type, [kind](double x) { return apply(kind, x); });
}

Tensor activation(const std::vector<Tensor>& inputs, const Attributes& attributes,
                  const ValueType& type) {
  const auto& activation = std::get<ActivationAttributes>(attributes);
  return map_doubles(inputs[0], type, [&](double x) { return apply(activation, x); });
}

Tensor reduce(const std::vector<Tensor>& inputs, const Attributes& attributes,
              const ValueType& type) {
  const auto& reduce = std::get<ReduceAttributes>(attributes);
  const Shape& source = inputs[0].shape();
  Shape kept = source;
  for (const std::int64_t axis : reduce.axes) kept[static_cast<std::size_t>(axis)] = 1;
  const std::vector<std::int64_t> strides = strides_of(kept);
  const std::vector<double> values = inputs[0].to_doubles();
  std::vector<double> result(static_cast<std::size_t>(element_count(kept)),
                             reduce_identity(reduce.kind));
  for_each_index(source, [&](std::size_t flat, const std::vector<std::int64_t>& index) {
    double& slot = result[static_cast<std::size_t>(broadcast_offset(kept, strides, index))];
    slot = reduce_step(reduce.kind, slot, values[flat]);
  });
  if (reduce.kind == ReduceKind::kMean) {
    const double count = static_cast<double>(values.size()) / static_cast<double>(result.size());
    for (double& value : result) value /= count;
  }
  return tensor_from_doubles(type.element, type.shape, result);
}

Tensor reshape(const std::vector<Tensor>& inputs, const Attributes& /*attributes*/,
               const ValueType& type) {
  return inputs[0].reshaped(type.shape);
}

Tensor transpose(const std::vector<Tensor>& inputs, const Attributes& attributes,
                 const ValueType& type) {
  const Axes& permutation = std::get<TransposeAttributes>(attributes).permutation;
  const std::vector<std::int64_t> strides = strides_of(inputs[0].shape());
  return rearrange(inputs[0], type, [&](const std::vector<std::int64_t>& index) {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) {
      offset += index[axis] * strides[static_cast<std::size_t>(permutation[axis])];
    }
    return offset;
  });
}

Tensor concat(const std::vector<Tensor>& inputs, const Attributes& attributes,
              const ValueType& type) {
  const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(attributes).axis);
  const std::int64_t outer = element_count(
      Shape(type.shape.begin(), type.shape.begin() + static_cast<std::ptrdiff_t>(axis)));
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(element_count(type.shape)) * size_of(type.element));
  for (std::int64_t row = 0; row < outer; ++row) {
    for (const Tensor& input : inputs) {
      const std::size_t chunk = input.bytes().size / static_cast<std::size_t>(outer);
      const std::byte* from = input.bytes().data + static_cast<std::size_t>(row) * chunk;
      bytes.insert(bytes.end(), from, from + chunk);
    }
  }
  return Tensor::copy(type.element, type.shape, {bytes.data(), bytes.size()});
}

Tensor pad(const std::vector<Tensor>& inputs, const Attributes& attributes, const ValueType& type) {
  const auto& pad = std::get<PadAttributes>(attributes);
  const Shape& source = inputs[0].shape();
  const std::vector<std::int64_t> strides = strides_of(source);
  return rearrange(inputs[0], type, [&](const std::vector<std::int64_t>& index) -> std::int64_t {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) {
      const std::int64_t at = index[axis] - pad.pads_begin[axis];
      if (at < 0 || at >= source[axis]) return -1;
      offset += at * strides[axis];
    }
    return offset;
  });
}

Tensor slice(const std::vector<Tensor>& inputs, const Attributes& attributes,
             const ValueType& type) {
  const auto& slice = std::get<SliceAttributes>(attributes);
  const std::vector<std::int64_t> strides = strides_of(inputs[0].shape());
  return rearrange(inputs[0], type, [&](const std::vector<std::int64_t>& index) {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) {
      offset += (slice.begin[axis] + index[axis] * slice.strides[axis]) * strides[axis];
    }
    return offset;
  });
}

Tensor gather(const std::vector<Tensor>& inputs, const Attributes& attributes,
              const ValueType& type) {
  const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(attributes).axis);
  const Shape& source = inputs[0].shape();
  const std::vector<std::int64_t> picks = inputs[1].to_ints();
  for (const std::int64_t pick : picks) {
    if (pick < 0 || pick >= source[axis]) {
      throw InputError("gather index " + std::to_string(pick) + " is outside " + to_string(source));
    }
  }
  const std::vector<std::int64_t> strides = strides_of(source);
  const std::vector<std::int64_t> pick_strides = strides_of(inputs[1].shape());
  const std::size_t pick_rank = pick_strides.size();
  return rearrange(inputs[0], type, [&](const std::vector<std::int64_t>& index) {
    std::int64_t offset = 0;
    for (std::size_t at = 0; at < axis; ++at) offset += index[at] * strides[at];
    std::int64_t pick = 0;
    for (std::size_t at = 0; at < pick_rank; ++at) pick += index[axis + at] * pick_strides[at];
    offset += picks[static_cast<std::size_t>(pick)] * strides[axis];
    for (std::size_t at = axis + pick_rank; at < index.size(); ++at) {
      offset += index[at] * strides[at + 1 - pick_rank];
    }
    return offset;
  });
}

Tensor cast(const std::vector<Tensor>& inputs, const Attributes& /*attributes*/,
            const ValueType& type) {
  if (!is_floating(type.element) && !is_floating(inputs[0].type())) {
    return Tensor::from_ints(type.element, type.shape, inputs[0].to_ints());
  }
  return tensor_from_doubles(type.element, type.shape, inputs[0].to_doubles());
}

}  // namespace chexnet_trt::evaluators
