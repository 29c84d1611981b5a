#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/launch.cuh"
#include "backends/cuda/kernels/simple.hpp"

namespace chexnet_trt::cuda {
namespace {

/// Where an output number lies.
struct Place {
  int image;
  int y;
  int x;
  int channel;
};

__device__ float number_at(const DeviceValue& value, std::int64_t pixel, int channel) {
  float v[1];
  load(value, pixel * value.pitch + channel, v);
  return v[0];
}

__device__ std::int64_t pixel_of(const ImageSize& size, int image, int y, int x) {
  return (static_cast<std::int64_t>(image) * size.height + y) * size.width + x;
}

__device__ bool is_inside(const ImageSize& size, int y, int x) {
  return y >= 0 && y < size.height && x >= 0 && x < size.width;
}

__device__ float compute(const FlattenArguments& arguments, const Place& at) {
  const ImageSize& in = arguments.input_size;
  const int pixels = in.height * in.width;
  const int pixel = arguments.channels_first ? at.channel % pixels : at.channel / in.channels;
  const int channel = arguments.channels_first ? at.channel / pixels : at.channel % in.channels;
  return number_at(arguments.input, static_cast<std::int64_t>(at.image) * pixels + pixel, channel);
}

__device__ float compute(const SoftmaxArguments& arguments, const Place& at) {
  const ImageSize& in = arguments.input_size;
  const std::int64_t pixel = pixel_of(in, at.image, at.y, at.x);
  float largest = -INFINITY;
  for (int channel = 0; channel < in.channels; ++channel) {
    largest = fmaxf(largest, number_at(arguments.input, pixel, channel));
  }
  float sum = 0;
  for (int channel = 0; channel < in.channels; ++channel) {
    sum += expf(number_at(arguments.input, pixel, channel) - largest);
  }
  return expf(number_at(arguments.input, pixel, at.channel) - largest) / sum;
}

__device__ float compute(const GroupedConvArguments& arguments, const Place& at) {
  const Window& window = arguments.window;
  const ImageSize& in = arguments.input_size;
  const int first = at.channel / arguments.group_outputs * arguments.group_inputs;
  const float* weights = arguments.weights + static_cast<std::int64_t>(at.channel) * window.height *
                                                 window.width * arguments.group_inputs;
  float sum = 0;
  for (int i = 0; i < window.height; ++i) {
    const int y = at.y * window.stride_y - window.pad_y + i * window.dilation_y;
    for (int j = 0; j < window.width; ++j) {
      const int x = at.x * window.stride_x - window.pad_x + j * window.dilation_x;
      if (!is_inside(in, y, x)) continue;
      const std::int64_t pixel = pixel_of(in, at.image, y, x);
      const float* tap = weights + (i * window.width + j) * arguments.group_inputs;
      for (int c = 0; c < arguments.group_inputs; ++c) {
        sum += number_at(arguments.input, pixel, first + c) * tap[c];
      }
    }
  }
  return sum;
}

__device__ float compute(const TransposedConvArguments& arguments, const Place& at) {
  const Window& window = arguments.window;
  const ImageSize& in = arguments.input_size;
  const float* weights = arguments.weights + static_cast<std::int64_t>(at.channel) * window.height *
                                                 window.width * in.channels;
  float sum = 0;
  for (int i = 0; i < window.height; ++i) {
    const int down = at.y + window.pad_y - i;
    for (int j = 0; j < window.width; ++j) {
      const int right = at.x + window.pad_x - j;
      if (down % window.stride_y != 0 || right % window.stride_x != 0) continue;
      const int y = down / window.stride_y;
      const int x = right / window.stride_x;
      if (!is_inside(in, y, x)) continue;
      const std::int64_t pixel = pixel_of(in, at.image, y, x);
      const float* tap = weights + (i * window.width + j) * in.channels;
      for (int c = 0; c < in.channels; ++c) {
        sum += number_at(arguments.input, pixel, c) * tap[c];
      }
    }
  }
  return sum;
}

__device__ float compute(const UnaryArguments& arguments, const Place& at) {
  const std::int64_t pixel = pixel_of(arguments.input_size, at.image, at.y, at.x);
  const float v = number_at(arguments.input, pixel, at.channel);
  switch (arguments.kind) {
    case UnaryKind::kNeg: return -v;
    case UnaryKind::kExp: return expf(v);
    case UnaryKind::kLog: return logf(v);
    case UnaryKind::kAbs: return fabsf(v);
    case UnaryKind::kSqrt: return sqrtf(v);
    case UnaryKind::kRsqrt: return 1.0F / sqrtf(v);
    case UnaryKind::kSquare: return v * v;
    case UnaryKind::kSin: return sinf(v);
    case UnaryKind::kCos: return cosf(v);
    case UnaryKind::kTan: return tanf(v);
    case UnaryKind::kSinh: return sinhf(v);
    case UnaryKind::kCosh: return coshf(v);
    case UnaryKind::kAsin: return asinf(v);
    case UnaryKind::kAcos: return acosf(v);
    case UnaryKind::kAtan: return atanf(v);
    case UnaryKind::kAsinh: return asinhf(v);
    case UnaryKind::kAcosh: return acoshf(v);
    case UnaryKind::kAtanh: return atanhf(v);
    case UnaryKind::kCeil: return ceilf(v);
    case UnaryKind::kFloor: return floorf(v);
  }
  return v;
}

__device__ float operand(const PairOperand& operand, const ImageSize& size, const Place& at) {
  if (operand.per_channel != nullptr) return operand.per_channel[at.channel];
  const std::int64_t pixel = operand.is_one_pixel ? at.image : pixel_of(size, at.image, at.y, at.x);
  return number_at(operand.value, pixel, at.channel);
}

__device__ float compute(const PairArguments& arguments, const Place& at) {
  const float a = operand(arguments.left, arguments.output_size, at);
  const float b = operand(arguments.right, arguments.output_size, at);
  switch (arguments.kind) {
    case BinaryKind::kAdd: return a + b;
    case BinaryKind::kSub: return a - b;
    case BinaryKind::kMul: return a * b;
    case BinaryKind::kDiv: return a / b;
    case BinaryKind::kMin: return fminf(a, b);
    case BinaryKind::kMax: return fmaxf(a, b);
    case BinaryKind::kPow: return powf(a, b);
  }
  return a;
}

__device__ float compute(const WindowArguments& arguments, const Place& at) {
  const ImageSize& in = arguments.input_size;
  const int y = arguments.begin[0] + arguments.stride[0] * at.y;
  const int x = arguments.begin[1] + arguments.stride[1] * at.x;
  const int channel = arguments.begin[2] + arguments.stride[2] * at.channel;
  if (!is_inside(in, y, x) || channel < 0 || channel >= in.channels) return 0;
  return number_at(arguments.input, pixel_of(in, at.image, y, x), channel);
}

__device__ float compute(const LrnArguments& arguments, const Place& at) {
  const ImageSize& in = arguments.input_size;
  const std::int64_t pixel = pixel_of(in, at.image, at.y, at.x);
  const int first = max(at.channel - arguments.radius, 0);
  const int last = min(at.channel + arguments.radius, in.channels - 1);
  float squares = 0;
  for (int channel = first; channel <= last; ++channel) {
    const float v = number_at(arguments.input, pixel, channel);
    squares += v * v;
  }
  const float divisor = powf(arguments.bias + arguments.alpha * squares, arguments.beta);
  return number_at(arguments.input, pixel, at.channel) / divisor;
}

__device__ float compute(const ReduceArguments& arguments, const Place& at) {
  const int pixels = arguments.input_size.height * arguments.input_size.width;
  const std::int64_t first = static_cast<std::int64_t>(at.image) * pixels;
  float result = number_at(arguments.input, first, at.channel);
  for (int pixel = 1; pixel < pixels; ++pixel) {
    const float v = number_at(arguments.input, first + pixel, at.channel);
    switch (arguments.kind) {
      case ReduceKind::kProd: result *= v; break;
      case ReduceKind::kMax: result = fmaxf(result, v); break;
      case ReduceKind::kMin: result = fminf(result, v); break;
      default: result += v;
    }
  }
  return arguments.kind == ReduceKind::kMean ? result / static_cast<float>(pixels) : result;
}

template <typename Arguments>
__global__ void simple_kernel(const __grid_constant__ Arguments arguments) {
  release_successor();
  const ImageSize& size = arguments.output_size;
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t pixel = index / size.channels;
  const int channel = static_cast<int>(index % size.channels);
  wait_for_predecessors();
  if (pixel >= static_cast<std::int64_t>(size.images) * size.height * size.width) return;
  const int x = static_cast<int>(pixel % size.width);
  const int y = static_cast<int>(pixel / size.width % size.height);
  const int image = static_cast<int>(pixel / size.width / size.height);
  float v[1] = {compute(arguments, {image, y, x, channel})};
  run_epilogue(arguments.epilogue, pixel, channel, v);
}

}  // namespace

template <typename Arguments>
cudaError_t launch_simple(const Arguments& arguments, cudaStream_t stream) {
  const ImageSize& size = arguments.output_size;
  const std::int64_t numbers =
      static_cast<std::int64_t>(size.images) * size.height * size.width * size.channels;
  return launch(simple_kernel<Arguments>, dim3(blocks_for(numbers)), kThreads, 0, 1, stream,
                arguments);
}

template cudaError_t launch_simple(const FlattenArguments&, cudaStream_t);
template cudaError_t launch_simple(const SoftmaxArguments&, cudaStream_t);
template cudaError_t launch_simple(const GroupedConvArguments&, cudaStream_t);
template cudaError_t launch_simple(const TransposedConvArguments&, cudaStream_t);
template cudaError_t launch_simple(const UnaryArguments&, cudaStream_t);
template cudaError_t launch_simple(const PairArguments&, cudaStream_t);
template cudaError_t launch_simple(const WindowArguments&, cudaStream_t);
template cudaError_t launch_simple(const LrnArguments&, cudaStream_t);
template cudaError_t launch_simple(const ReduceArguments&, cudaStream_t);

}  // namespace chexnet_trt::cuda
