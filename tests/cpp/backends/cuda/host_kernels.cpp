#include "backends/cuda/host_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "common/half.hpp"
#include "graph/op_table.hpp"

namespace chexnet_trt::testing {
namespace {

using namespace cuda;

constexpr std::int64_t kWord = 16;

template <typename Stored>
Stored stored_at(const void* data, std::int64_t index) {
  Stored stored;
  std::memcpy(&stored, static_cast<const Stored*>(data) + index, sizeof stored);
  return stored;
}

template <typename Stored>
void put(void* data, std::int64_t index, Stored stored) {
  std::memcpy(static_cast<Stored*>(data) + index, &stored, sizeof stored);
}

/// As it is stored, without its scale.
double level_at(const void* data, ElementType element, std::int64_t index) {
  switch (element) {
    case ElementType::kFloat16: return float_from_half(stored_at<std::uint16_t>(data, index));
    case ElementType::kBFloat16: return float_from_bfloat16(stored_at<std::uint16_t>(data, index));
    case ElementType::kInt8: return stored_at<std::int8_t>(data, index);
    case ElementType::kUInt8: return stored_at<std::uint8_t>(data, index);
    default: return stored_at<float>(data, index);
  }
}

bool is_8_bit(ElementType element) { return size_of(element) == 1; }

double number_at(const DeviceValue& value, std::int64_t pixel, std::int64_t channel) {
  const double level = level_at(value.data, value.element, pixel * value.pitch + channel);
  return is_8_bit(value.element) ? level * static_cast<double>(value.scale) : level;
}

double level_of(const DeviceValue& value, double v) {
  const double level = std::nearbyint(v / static_cast<double>(value.scale));
  return value.element == ElementType::kInt8 ? std::clamp(level, -128.0, 127.0)
                                             : std::clamp(level, 0.0, 255.0);
}

void store(const DeviceValue& value, std::int64_t pixel, std::int64_t channel, double v) {
  const std::int64_t index = pixel * value.pitch + channel;
  const auto single = static_cast<float>(v);
  switch (value.element) {
    case ElementType::kFloat16: return put(value.data, index, half_from_float(single));
    case ElementType::kBFloat16: return put(value.data, index, bfloat16_from_float(single));
    case ElementType::kInt8:
      return put(value.data, index, static_cast<std::int8_t>(level_of(value, v)));
    case ElementType::kUInt8:
      return put(value.data, index, static_cast<std::uint8_t>(level_of(value, v)));
    default: return put(value.data, index, single);
  }
}

/// What an op of the graph does to single numbers.
double evaluated(Op op, const std::vector<double>& operands, const Attributes& attributes) {
  std::vector<Tensor> tensors;
  for (const double v : operands) {
    tensors.push_back(Tensor::from_floats({}, {static_cast<float>(v)}));
  }
  return evaluate(op, tensors, attributes)->to_doubles()[0];
}

double activated(const DeviceActivation& activation, double v) {
  if (activation.kind < 0) return v;
  const auto kind = static_cast<ActivationKind>(activation.kind);
  if (kind == ActivationKind::kRelu) return std::max(v, 0.0);
  return evaluated(Op::kActivation, {v}, ActivationAttributes{kind, activation.alpha});
}

double scaled(const float* mul, const float* add, std::int64_t channel, double v) {
  if (mul != nullptr) v *= static_cast<double>(mul[channel]);
  if (add != nullptr) v += static_cast<double>(add[channel]);
  return v;
}

void finish(const DeviceEpilogue& epilogue, std::int64_t pixel, std::int64_t channel, double v) {
  v = activated(epilogue.activation, scaled(epilogue.mul, epilogue.add, channel, v));
  if (epilogue.residual.data != nullptr) {
    v = activated(epilogue.activation_after, v + number_at(epilogue.residual, pixel, channel));
  }
  if (epilogue.output.data != nullptr) store(epilogue.output, pixel, channel, v);
  if (epilogue.second.data == nullptr) return;
  if (is_8_bit(epilogue.output.element)) {
    v = level_of(epilogue.output, v) * static_cast<double>(epilogue.output.scale);
  }
  v = scaled(epilogue.second_mul, epilogue.second_add, channel, v);
  store(epilogue.second, pixel, channel, activated(epilogue.second_activation, v));
}

struct Place {
  std::int64_t image, y, x, channel;
};

std::int64_t pixel_of(const ImageSize& size, std::int64_t image, std::int64_t y, std::int64_t x) {
  return (image * size.height + y) * size.width + x;
}

bool is_inside(const ImageSize& size, std::int64_t y, std::int64_t x) {
  return y >= 0 && y < size.height && x >= 0 && x < size.width;
}

template <typename Compute>
void for_each(const ImageSize& size, const DeviceEpilogue& epilogue, Compute compute) {
  for (std::int64_t image = 0; image < size.images; ++image) {
    for (std::int64_t y = 0; y < size.height; ++y) {
      for (std::int64_t x = 0; x < size.width; ++x) {
        for (std::int64_t channel = 0; channel < size.channels; ++channel) {
          finish(epilogue, pixel_of(size, image, y, x), channel,
                 compute(Place{image, y, x, channel}));
        }
      }
    }
  }
}

/// `visit(pixel, tap)` for every tap of the window around `at` that lies inside.
template <typename Visit>
void for_taps(const Window& window, const ImageSize& in, const Place& at, Visit visit) {
  for (std::int64_t i = 0; i < window.height; ++i) {
    for (std::int64_t j = 0; j < window.width; ++j) {
      const std::int64_t y = at.y * window.stride_y - window.pad_y + i * window.dilation_y;
      const std::int64_t x = at.x * window.stride_x - window.pad_x + j * window.dilation_x;
      if (is_inside(in, y, x)) visit(pixel_of(in, at.image, y, x), i * window.width + j);
    }
  }
}

/// The level that a convolution multiplies: stored, or of what its prologue would store.
double multiplied(const ConvArguments& a, std::int64_t pixel, std::int64_t channel) {
  const double stored = level_at(a.input.data, a.input.element, pixel * a.input.pitch + channel);
  if (!a.has_prologue) return stored;
  std::byte memory[sizeof(float)];
  DeviceEpilogue prologue = a.prologue;
  prologue.output.data = memory;
  prologue.output.pitch = 0;
  const double number = number_at(a.input, pixel, channel);
  store(prologue.output, 0, 0,
        activated(prologue.activation, scaled(prologue.mul, prologue.add, channel, number)));
  return level_at(memory, prologue.output.element, 0);
}

struct Kernels {
  void operator()(const InputArguments& a) const {
    const ImageSize& in = a.size;
    const ImageSize out{in.images, a.output_height, a.output_width,
                        a.block * a.block * in.channels};
    DeviceEpilogue stores_alone;
    stores_alone.output = a.epilogue.output;
    for_each(out, stores_alone, [&](const Place& at) {
      const std::int64_t c = at.channel % in.channels;
      const std::int64_t y = at.y * a.block - a.pad_y + at.channel / (in.channels * a.block);
      const std::int64_t x = at.x * a.block - a.pad_x + at.channel / in.channels % a.block;
      if (!is_inside(in, y, x)) return 0.0;
      const std::int64_t from = a.channels_first
                                    ? ((at.image * in.channels + c) * in.height + y) * in.width + x
                                    : pixel_of(in, at.image, y, x) * in.channels + c;
      return scaled(a.epilogue.mul, a.epilogue.add, c, level_at(a.data, a.element, from));
    });
  }

  void operator()(const ConvArguments& a) const {
    const ElementType element =
        a.input.element == ElementType::kUInt8 ? ElementType::kInt8 : a.input.element;
    const std::int64_t channels = a.input_size.channels;
    const auto in_word = kWord / static_cast<std::int64_t>(size_of(element));
    const std::int64_t padded = (channels + in_word - 1) / in_word * in_word;
    const std::int64_t taps = static_cast<std::int64_t>(a.window.height) * a.window.width;
    for_each(a.output_size, a.epilogue, [&](const Place& at) {
      double sum = 0;
      for_taps(a.window, a.input_size, at, [&](std::int64_t pixel, std::int64_t tap) {
        for (std::int64_t c = 0; c < channels; ++c) {
          sum += multiplied(a, pixel, c) *
                 level_at(a.weights, element, (at.channel * taps + tap) * padded + c);
        }
      });
      return sum;
    });
  }

  void operator()(const PoolArguments& a) const {
    for_each(a.output_size, a.epilogue, [&](const Place& at) {
      double result = a.is_max ? -std::numeric_limits<double>::infinity() : 0;
      int count = 0;
      for_taps(a.window, a.input_size, at, [&](std::int64_t pixel, std::int64_t) {
        const double v = number_at(a.input, pixel, at.channel);
        result = a.is_max ? std::max(result, v) : result + v;
        ++count;
      });
      return a.is_max ? result : result / count;
    });
  }

  void operator()(const MapArguments& a) const {
    for_each(a.size, a.epilogue, [&](const Place& at) {
      return number_at(a.input, pixel_of(a.size, at.image, at.y, at.x), at.channel);
    });
  }

  void operator()(const MeanArguments& a) const {
    const ImageSize one{a.size.images, 1, 1, a.size.channels};
    for_each(one, a.epilogue,
             [&](const Place& at) { return reduced(a.input, a.size, at, ReduceKind::kMean); });
  }

  void operator()(const DenseArguments& a) const {
    for_each({a.rows, 1, 1, a.outputs}, a.epilogue, [&](const Place& at) {
      double sum = 0;
      for (std::int64_t k = 0; k < a.inputs; ++k) {
        sum += number_at(a.input, at.image, k) *
               static_cast<double>(a.weights[at.channel * a.inputs + k]);
      }
      return sum;
    });
  }

  void operator()(const OutputArguments& a) const {
    const std::int64_t pixels = static_cast<std::int64_t>(a.size.height) * a.size.width;
    DeviceEpilogue none;
    for_each(a.size, none, [&](const Place& at) {
      const std::int64_t pixel = pixel_of(a.size, at.image, at.y, at.x);
      const std::int64_t to =
          a.channels_first ? (at.image * a.size.channels + at.channel) * pixels + pixel % pixels
                           : pixel * a.size.channels + at.channel;
      a.data[to] = static_cast<float>(number_at(a.input, pixel, at.channel));
      return 0.0;
    });
  }

  void operator()(const ArgMaxArguments& a) const {
    for (std::int64_t row = 0; row < a.rows; ++row) {
      std::int64_t best = 0;
      for (std::int64_t c = 1; c < a.columns; ++c) {
        if (number_at(a.input, row, c) > number_at(a.input, row, best)) best = c;
      }
      if (a.element == ElementType::kInt64) {
        put(a.data, row, best);
      } else {
        put(a.data, row, static_cast<std::int32_t>(best));
      }
    }
  }

  /// Those of simple.hpp.
  template <typename Arguments>
  void operator()(const Arguments& a) const {
    for_each(a.output_size, a.epilogue, [&](const Place& at) { return compute(a, at); });
  }

  static double reduced(const DeviceValue& input, const ImageSize& size, const Place& at,
                        ReduceKind kind) {
    const std::int64_t pixels = static_cast<std::int64_t>(size.height) * size.width;
    double result = number_at(input, at.image * pixels, at.channel);
    for (std::int64_t pixel = 1; pixel < pixels; ++pixel) {
      const double v = number_at(input, at.image * pixels + pixel, at.channel);
      switch (kind) {
        case ReduceKind::kProd: result *= v; break;
        case ReduceKind::kMax: result = std::max(result, v); break;
        case ReduceKind::kMin: result = std::min(result, v); break;
        default: result += v;
      }
    }
    return kind == ReduceKind::kMean ? result / static_cast<double>(pixels) : result;
  }

  static double compute(const ReduceArguments& a, const Place& at) {
    return reduced(a.input, a.input_size, at, a.kind);
  }

  static double compute(const FlattenArguments& a, const Place& at) {
    const ImageSize& in = a.input_size;
    const std::int64_t pixels = static_cast<std::int64_t>(in.height) * in.width;
    const std::int64_t pixel = a.channels_first ? at.channel % pixels : at.channel / in.channels;
    const std::int64_t channel = a.channels_first ? at.channel / pixels : at.channel % in.channels;
    return number_at(a.input, at.image * pixels + pixel, channel);
  }

  static double compute(const SoftmaxArguments& a, const Place& at) {
    const std::int64_t pixel = pixel_of(a.input_size, at.image, at.y, at.x);
    double sum = 0;
    for (std::int64_t c = 0; c < a.input_size.channels; ++c) {
      sum += std::exp(number_at(a.input, pixel, c));
    }
    return std::exp(number_at(a.input, pixel, at.channel)) / sum;
  }

  static double compute(const GroupedConvArguments& a, const Place& at) {
    const std::int64_t first = at.channel / a.group_outputs * a.group_inputs;
    const std::int64_t taps = static_cast<std::int64_t>(a.window.height) * a.window.width;
    double sum = 0;
    for_taps(a.window, a.input_size, at, [&](std::int64_t pixel, std::int64_t tap) {
      for (std::int64_t c = 0; c < a.group_inputs; ++c) {
        sum += level_at(a.input.data, a.input.element, pixel * a.input.pitch + first + c) *
               static_cast<double>(a.weights[(at.channel * taps + tap) * a.group_inputs + c]);
      }
    });
    return sum;
  }

  /// From the definition: every input pixel that the reversed convolution computes of this one.
  static double compute(const TransposedConvArguments& a, const Place& at) {
    const ImageSize& in = a.input_size;
    double sum = 0;
    for (std::int64_t y = 0; y < in.height; ++y) {
      for (std::int64_t x = 0; x < in.width; ++x) {
        const std::int64_t i = at.y + a.window.pad_y - y * a.window.stride_y;
        const std::int64_t j = at.x + a.window.pad_x - x * a.window.stride_x;
        if (i < 0 || i >= a.window.height || j < 0 || j >= a.window.width) continue;
        const std::int64_t tap = (at.channel * a.window.height + i) * a.window.width + j;
        for (std::int64_t c = 0; c < in.channels; ++c) {
          sum += number_at(a.input, pixel_of(in, at.image, y, x), c) *
                 static_cast<double>(a.weights[tap * in.channels + c]);
        }
      }
    }
    return sum;
  }

  static double compute(const UnaryArguments& a, const Place& at) {
    const std::int64_t pixel = pixel_of(a.input_size, at.image, at.y, at.x);
    return evaluated(Op::kUnary, {number_at(a.input, pixel, at.channel)}, UnaryAttributes{a.kind});
  }

  static double operand(const PairOperand& operand, const ImageSize& size, const Place& at) {
    if (operand.per_channel != nullptr) return operand.per_channel[at.channel];
    return number_at(operand.value,
                     operand.is_one_pixel ? at.image : pixel_of(size, at.image, at.y, at.x),
                     at.channel);
  }

  static double compute(const PairArguments& a, const Place& at) {
    return evaluated(Op::kBinary,
                     {operand(a.left, a.output_size, at), operand(a.right, a.output_size, at)},
                     BinaryAttributes{a.kind});
  }

  static double compute(const WindowArguments& a, const Place& at) {
    const ImageSize& in = a.input_size;
    const std::int64_t y = a.begin[0] + a.stride[0] * at.y;
    const std::int64_t x = a.begin[1] + a.stride[1] * at.x;
    const std::int64_t channel = a.begin[2] + a.stride[2] * at.channel;
    if (!is_inside(in, y, x) || channel < 0 || channel >= in.channels) return 0;
    return number_at(a.input, pixel_of(in, at.image, y, x), channel);
  }

  static double compute(const LrnArguments& a, const Place& at) {
    const std::int64_t pixel = pixel_of(a.input_size, at.image, at.y, at.x);
    double squares = 0;
    for (std::int64_t c = 0; c < a.input_size.channels; ++c) {
      if (std::abs(c - at.channel) <= a.radius) {
        squares += std::pow(number_at(a.input, pixel, c), 2);
      }
    }
    return number_at(a.input, pixel, at.channel) / std::pow(a.bias + a.alpha * squares, a.beta);
  }
};

}  // namespace

void run_on_host(const StepArguments& arguments) { std::visit(Kernels{}, arguments); }

}  // namespace chexnet_trt::testing
