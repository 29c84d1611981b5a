#include "reference/interpreter.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "common/error.hpp"
#include "reference/array.hpp"

namespace chexnet_trt::reference {
namespace {

double unary(UnaryKind kind, double x) {
  switch (kind) {
    case UnaryKind::kNeg: return -x;
    case UnaryKind::kExp: return std::exp(x);
    case UnaryKind::kLog: return std::log(x);
    case UnaryKind::kAbs: return std::abs(x);
    case UnaryKind::kSqrt: return std::sqrt(x);
    case UnaryKind::kRsqrt: return 1 / std::sqrt(x);
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
  throw Error("unknown unary");
}

double activation(const ActivationAttributes& attributes, double x) {
  constexpr double kSeluAlpha = 1.6732632423543772;
  constexpr double kSeluScale = 1.0507009873554805;
  switch (attributes.kind) {
    case ActivationKind::kRelu: return x > 0 ? x : 0;
    case ActivationKind::kRelu6: return x > 6 ? 6 : (x > 0 ? x : 0);
    case ActivationKind::kSigmoid: return 1 / (1 + std::exp(-x));
    case ActivationKind::kTanh: return std::tanh(x);
    case ActivationKind::kElu: return x > 0 ? x : std::exp(x) - 1;
    case ActivationKind::kSelu: return kSeluScale * (x > 0 ? x : kSeluAlpha * (std::exp(x) - 1));
    case ActivationKind::kSoftsign: return x / (1 + std::abs(x));
    case ActivationKind::kSoftplus: return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
    case ActivationKind::kLeakyRelu: return x > 0 ? x : attributes.alpha * x;
  }
  throw Error("unknown activation");
}

double binary(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd: return a + b;
    case BinaryKind::kSub: return a - b;
    case BinaryKind::kMul: return a * b;
    case BinaryKind::kDiv: return a / b;
    case BinaryKind::kMin: return std::min(a, b);
    case BinaryKind::kMax: return std::max(a, b);
    case BinaryKind::kPow: return std::pow(a, b);
  }
  throw Error("unknown binary");
}

Array conv2d(const ConvAttributes& conv, const Array& x, const Array& weights, Shape shape) {
  Array result(std::move(shape));
  const ImageView in(x, conv.layout);
  const std::int64_t group_in = weights.shape[2];
  const std::int64_t group_out = weights.shape[3] / conv.groups;
  result.fill([&](const Index& at) {
    const ImageIndex out = image_index(at, conv.layout);
    double sum = 0;
    for (std::int64_t i = 0; i < weights.shape[0]; ++i) {
      for (std::int64_t j = 0; j < weights.shape[1]; ++j) {
        const std::int64_t h = out.h * conv.strides[0] + i * conv.dilations[0] - conv.pads_begin[0];
        const std::int64_t w = out.w * conv.strides[1] + j * conv.dilations[1] - conv.pads_begin[1];
        if (!in.contains(h, w)) continue;
        for (std::int64_t c = 0; c < group_in; ++c) {
          sum += in.at(out.n, h, w, out.c / group_out * group_in + c) * weights({i, j, c, out.c});
        }
      }
    }
    return sum;
  });
  return result;
}

/// Scatters each input pixel through the kernel: the gradient of a convolution by definition.
Array conv_transpose2d(const ConvTransposeAttributes& conv, const Array& x, const Array& weights,
                       Shape shape) {
  Array result(std::move(shape));
  const bool nhwc = conv.layout == TensorLayout::kNhwc;
  x.for_each([&](const Index& at, double value) {
    const ImageIndex in = image_index(at, conv.layout);
    weights.for_each([&](const Index& k, double weight) {
      const std::int64_t h = in.h * conv.strides[0] + k[0] - conv.pads_begin[0];
      const std::int64_t w = in.w * conv.strides[1] + k[1] - conv.pads_begin[1];
      if (k[3] != in.c || h < 0 || w < 0 || h >= conv.output_size[0] || w >= conv.output_size[1]) {
        return;
      }
      result(nhwc ? Index{in.n, h, w, k[2]} : Index{in.n, k[2], h, w}) += value * weight;
    });
  });
  return result;
}

Array pool(const PoolAttributes& pool, bool is_max, const Array& x, Shape shape) {
  Array result(std::move(shape));
  const ImageView in(x, pool.layout);
  result.fill([&](const Index& at) {
    const ImageIndex out = image_index(at, pool.layout);
    double best = -std::numeric_limits<double>::infinity();
    double sum = 0;
    int count = 0;
    for (std::int64_t i = 0; i < pool.kernel[0]; ++i) {
      for (std::int64_t j = 0; j < pool.kernel[1]; ++j) {
        const std::int64_t h = out.h * pool.strides[0] + i - pool.pads_begin[0];
        const std::int64_t w = out.w * pool.strides[1] + j - pool.pads_begin[1];
        if (!in.contains(h, w)) continue;
        const double value = in.at(out.n, h, w, out.c);
        best = std::max(best, value);
        sum += value;
        ++count;
      }
    }
    return is_max ? best : sum / count;
  });
  return result;
}

Array matmul(const MatMulAttributes& matmul, const Array& a, const Array& b, Shape shape) {
  Array result(std::move(shape));
  const std::int64_t inner = a.shape[matmul.transpose_a ? 0 : 1];
  result.fill([&](const Index& at) {
    double sum = 0;
    for (std::int64_t k = 0; k < inner; ++k) {
      sum += a(matmul.transpose_a ? Index{k, at[0]} : Index{at[0], k}) *
             b(matmul.transpose_b ? Index{at[1], k} : Index{k, at[1]});
    }
    return sum;
  });
  return result;
}

Array batch_norm(const BatchNormAttributes& norm, const std::vector<const Array*>& in) {
  Array result(in[0]->shape);
  result.fill([&](const Index& at) {
    const Index c{image_index(at, norm.layout).c};
    return (*in[1])(c) * ((*in[0])(at) - (*in[3])(c)) / std::sqrt((*in[4])(c) + norm.epsilon) +
           (*in[2])(c);
  });
  return result;
}

Array lrn(const LrnAttributes& lrn, const Array& x) {
  Array result(x.shape);
  const ImageView in(x, lrn.layout);
  result.fill([&](const Index& at) {
    const ImageIndex i = image_index(at, lrn.layout);
    double sum = 0;
    for (std::int64_t c = std::max<std::int64_t>(i.c - lrn.radius, 0);
         c <= std::min(i.c + lrn.radius, in.channels() - 1); ++c) {
      sum += std::pow(in.at(i.n, i.h, i.w, c), 2);
    }
    return x(at) / std::pow(lrn.bias + lrn.alpha * sum, lrn.beta);
  });
  return result;
}

Array softmax(std::size_t axis, const Array& x) {
  Array result(x.shape);
  result.fill([&](const Index& at) {
    double sum = 0;
    Index other = at;
    for (other[axis] = 0; other[axis] < x.shape[axis]; ++other[axis]) {
      sum += std::exp(x(other) - x(at));
    }
    return 1 / sum;
  });
  return result;
}

Array reduce(const ReduceAttributes& reduce, const Array& x, const Shape& shape) {
  Shape kept = x.shape;
  double count = 1;
  for (const std::int64_t axis : reduce.axes) {
    count *= static_cast<double>(kept[static_cast<std::size_t>(axis)]);
    kept[static_cast<std::size_t>(axis)] = 1;
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Array result(kept);
  const double start = reduce.kind == ReduceKind::kProd  ? 1
                       : reduce.kind == ReduceKind::kMax ? -kInfinity
                       : reduce.kind == ReduceKind::kMin ? kInfinity
                                                         : 0;
  std::fill(result.values.begin(), result.values.end(), start);
  x.for_each([&](Index at, double value) {
    for (const std::int64_t axis : reduce.axes) at[static_cast<std::size_t>(axis)] = 0;
    double& slot = result(at);
    switch (reduce.kind) {
      case ReduceKind::kSum:
      case ReduceKind::kMean: slot += value; break;
      case ReduceKind::kProd: slot *= value; break;
      case ReduceKind::kMax: slot = std::max(slot, value); break;
      case ReduceKind::kMin: slot = std::min(slot, value); break;
    }
  });
  if (reduce.kind == ReduceKind::kMean) {
    for (double& value : result.values) value /= count;
  }
  result.shape = shape;
  return result;
}

Array arg_reduce(std::size_t axis, bool is_max, const Array& x, Shape shape) {
  Array result(std::move(shape));
  result.fill([&](Index at) {
    at.insert(at.begin() + static_cast<std::ptrdiff_t>(axis), 0);
    Index best = at;
    for (; at[axis] < x.shape[axis]; ++at[axis]) {
      if (is_max ? x(at) > x(best) : x(at) < x(best)) best = at;
    }
    return static_cast<double>(best[axis]);
  });
  return result;
}

Array transpose(const Axes& permutation, const Array& x, Shape shape) {
  Array result(std::move(shape));
  result.fill([&](const Index& at) {
    Index from(at.size());
    for (std::size_t i = 0; i < at.size(); ++i)
      from[static_cast<std::size_t>(permutation[i])] = at[i];
    return x(from);
  });
  return result;
}

Array concat(std::size_t axis, const std::vector<const Array*>& in, Shape shape) {
  Array result(std::move(shape));
  result.fill([&](Index at) {
    std::size_t part = 0;
    for (; at[axis] >= in[part]->shape[axis]; ++part) at[axis] -= in[part]->shape[axis];
    return (*in[part])(at);
  });
  return result;
}

Array pad(const PadAttributes& pad, const Array& x, Shape shape) {
  Array result(std::move(shape));
  result.fill([&](Index at) {
    for (std::size_t i = 0; i < at.size(); ++i) {
      at[i] -= pad.pads_begin[i];
      if (at[i] < 0 || at[i] >= x.shape[i]) return 0.0;
    }
    return x(at);
  });
  return result;
}

Array slice(const SliceAttributes& slice, const Array& x, Shape shape) {
  Array result(std::move(shape));
  result.fill([&](Index at) {
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = slice.begin[i] + at[i] * slice.strides[i];
    return x(at);
  });
  return result;
}

Array gather(std::size_t axis, const Array& x, const Array& indices, Shape shape) {
  Array result(std::move(shape));
  result.fill([&](const Index& at) {
    const auto first = at.begin() + static_cast<std::ptrdiff_t>(axis);
    const auto last = first + static_cast<std::ptrdiff_t>(indices.shape.size());
    Index from(at.begin(), first);
    from.push_back(static_cast<std::int64_t>(indices(Index(first, last))));
    from.insert(from.end(), last, at.end());
    return x(from);
  });
  return result;
}

Array elementwise(const Array& x, const std::function<double(double)>& function) {
  Array result = x;
  std::transform(x.values.begin(), x.values.end(), result.values.begin(), function);
  return result;
}

Array compute(const Node& node, const std::vector<const Array*>& in, const Shape& shape) {
  const Attributes& any = node.attributes;
  const auto axis = [&] { return static_cast<std::size_t>(std::get<AxisAttributes>(any).axis); };
  switch (node.op) {
    case Op::kInput:
    case Op::kConstant: break;
    case Op::kIdentity: return *in[0];
    case Op::kConv2D: return conv2d(std::get<ConvAttributes>(any), *in[0], *in[1], shape);
    case Op::kConvTranspose2D:
      return conv_transpose2d(std::get<ConvTransposeAttributes>(any), *in[0], *in[1], shape);
    case Op::kMaxPool: return pool(std::get<PoolAttributes>(any), true, *in[0], shape);
    case Op::kAveragePool: return pool(std::get<PoolAttributes>(any), false, *in[0], shape);
    case Op::kMatMul: return matmul(std::get<MatMulAttributes>(any), *in[0], *in[1], shape);
    case Op::kBinary: {
      Array result(shape);
      const BinaryKind kind = std::get<BinaryAttributes>(any).kind;
      result.fill([&](const Index& at) {
        return binary(kind, in[0]->broadcast(at), in[1]->broadcast(at));
      });
      return result;
    }
    case Op::kUnary:
      return elementwise(*in[0],
                         [&](double x) { return unary(std::get<UnaryAttributes>(any).kind, x); });
    case Op::kActivation:
      return elementwise(
          *in[0], [&](double x) { return activation(std::get<ActivationAttributes>(any), x); });
    case Op::kBatchNorm: return batch_norm(std::get<BatchNormAttributes>(any), in);
    case Op::kLrn: return lrn(std::get<LrnAttributes>(any), *in[0]);
    case Op::kSoftmax: return softmax(axis(), *in[0]);
    case Op::kReduce: return reduce(std::get<ReduceAttributes>(any), *in[0], shape);
    case Op::kArgMax: return arg_reduce(axis(), true, *in[0], shape);
    case Op::kArgMin: return arg_reduce(axis(), false, *in[0], shape);
    case Op::kReshape: return Array(shape, in[0]->values);
    case Op::kTranspose:
      return transpose(std::get<TransposeAttributes>(any).permutation, *in[0], shape);
    case Op::kConcat: return concat(axis(), in, shape);
    case Op::kPad: return pad(std::get<PadAttributes>(any), *in[0], shape);
    case Op::kSlice: return slice(std::get<SliceAttributes>(any), *in[0], shape);
    case Op::kGather: return gather(axis(), *in[0], *in[1], shape);
    case Op::kCast:
      if (is_floating(node.type.element)) return *in[0];
      return elementwise(*in[0], [](double x) { return std::trunc(x); });
    case Op::kQuantize: {
      const double scale = in[1]->values[0];
      const bool is_signed = node.type.element == ElementType::kInt8;
      return elementwise(*in[0], [&](double x) {
        // The default rounding mode is half to even.
        return std::clamp(std::nearbyint(x / scale), is_signed ? -128.0 : 0.0,
                          is_signed ? 127.0 : 255.0);
      });
    }
    case Op::kDequantize: {
      Array result(shape);
      result.fill([&](const Index& at) {
        return (*in[0])(at) * (in[1]->shape.empty() ? in[1]->values[0] : (*in[1])({at[axis()]}));
      });
      return result;
    }
  }
  throw Error("no value for '" + node.name + "'");
}

}  // namespace

std::vector<std::vector<double>> interpret(const Graph& graph, std::int64_t batch,
                                           const std::vector<std::vector<double>>& inputs,
                                           const std::map<NodeId, std::vector<double>>& known) {
  std::vector<Array> values;
  values.reserve(graph.nodes().size());
  std::size_t next_input = 0;
  for (const Node& node : graph.nodes()) {
    const Shape shape = with_batch(node.type.shape, batch);
    const auto given = known.find(static_cast<NodeId>(values.size()));
    if (given != known.end()) {
      values.emplace_back(shape, given->second);
    } else if (node.op == Op::kInput) {
      values.emplace_back(shape, inputs.at(next_input++));
    } else if (const auto* constant = std::get_if<ConstantAttributes>(&node.attributes)) {
      values.emplace_back(shape, constant->value.to_doubles());
    } else {
      std::vector<const Array*> operands;
      for (const NodeId id : node.inputs) operands.push_back(&values[static_cast<std::size_t>(id)]);
      values.push_back(compute(node, operands, shape));
    }
  }
  std::vector<std::vector<double>> outputs;
  for (const GraphOutput& output : graph.outputs()) {
    outputs.push_back(values[static_cast<std::size_t>(output.value)].values);
  }
  return outputs;
}

std::vector<double> random_values(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<double> values(count);
  for (double& value : values) value = static_cast<double>(engine()) / 2147483648.0 - 1.0;
  return values;
}

std::vector<std::vector<double>> random_inputs(const Graph& graph, std::int64_t batch,
                                               unsigned seed) {
  std::vector<std::vector<double>> inputs;
  for (const NodeId id : graph.inputs()) {
    const Shape shape = with_batch(graph.node(id).type.shape, batch);
    inputs.push_back(random_values(static_cast<std::size_t>(element_count(shape)), seed++));
  }
  return inputs;
}

}  // namespace chexnet_trt::reference
