#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/launch.cuh"

// The kernels without a matrix product. A thread handles kVector channels of one pixel where the
// values are aligned, else one.

namespace chexnet_trt::cuda {
namespace {

struct Position {
  std::int64_t pixel;
  int channel;
  bool is_inside;
};

template <int Count>
__device__ Position position_of(std::int64_t pixels, int channels) {
  const int groups = (channels + Count - 1) / Count;
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  return {index / groups, static_cast<int>(index % groups) * Count, index < pixels * groups};
}

template <int Count>
__device__ void finish(const DeviceEpilogue& epilogue, Position at, int channels,
                       float (&v)[Count]) {
  if (at.channel + Count <= channels) return run_epilogue(epilogue, at.pixel, at.channel, v);
  run_epilogue_tail(epilogue, at.pixel, at.channel, channels, v);
}

template <int Count>
__global__ void map_kernel(PixelArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const Position at = position_of<Count>(
      static_cast<std::int64_t>(size.images) * size.height * size.width, size.channels);
  if (!at.is_inside) return;
  float v[Count];
  load(arguments.input, at.pixel * arguments.input.pitch + at.channel, v);
  finish(arguments.epilogue, at, size.channels, v);
}

template <int Count>
__global__ void pool_kernel(PoolArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& in = arguments.input_size;
  const ImageSize& out = arguments.output_size;
  const Window& window = arguments.window;
  const Position at = position_of<Count>(
      static_cast<std::int64_t>(out.images) * out.height * out.width, out.channels);
  if (!at.is_inside) return;
  const int x0 = static_cast<int>(at.pixel % out.width) * window.stride_x - window.pad_x;
  const int y0 =
      static_cast<int>(at.pixel / out.width % out.height) * window.stride_y - window.pad_y;
  const std::int64_t image = at.pixel / out.width / out.height;
  float v[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] = arguments.is_max ? -INFINITY : 0.0F;
  int taps = 0;
  for (int y = max(y0, 0); y < min(y0 + window.height, in.height); ++y) {
    for (int x = max(x0, 0); x < min(x0 + window.width, in.width); ++x) {
      const std::int64_t pixel = (image * in.height + y) * in.width + x;
      float tap[Count];
      load(arguments.input, pixel * arguments.input.pitch + at.channel, tap);
#pragma unroll
      for (int i = 0; i < Count; ++i) {
        v[i] = arguments.is_max ? fmaxf(v[i], tap[i]) : v[i] + tap[i];
      }
      ++taps;
    }
  }
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] = arguments.is_max ? v[i] : v[i] / static_cast<float>(taps);
  finish(arguments.epilogue, at, out.channels, v);
}

/// A warp a group of channels: its lanes share the pixels.
template <int Count>
__global__ void mean_kernel(PixelArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const int groups = (size.channels + Count - 1) / Count;
  const std::int64_t warp = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (warp >= static_cast<std::int64_t>(size.images) * groups) return;
  const Position at{warp / groups, static_cast<int>(warp % groups) * Count, true};
  const int pixels = size.height * size.width;
  float sum[Count] = {};
  for (int pixel = static_cast<int>(threadIdx.x % 32); pixel < pixels; pixel += 32) {
    float v[Count];
    load(arguments.input, (at.pixel * pixels + pixel) * arguments.input.pitch + at.channel, v);
#pragma unroll
    for (int i = 0; i < Count; ++i) sum[i] += v[i];
  }
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    for (int lane = 16; lane > 0; lane /= 2) sum[i] += __shfl_xor_sync(~0U, sum[i], lane);
    sum[i] /= static_cast<float>(pixels);
  }
  if (threadIdx.x % 32 == 0) finish(arguments.epilogue, at, size.channels, sum);
}

/// A warp a number.
__global__ void dense_kernel(DenseArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const std::int64_t warp = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (warp >= static_cast<std::int64_t>(arguments.rows) * arguments.outputs) return;
  const std::int64_t row = warp / arguments.outputs;
  const int output = static_cast<int>(warp % arguments.outputs);
  float sum[1] = {0};
  for (int k = static_cast<int>(threadIdx.x % 32); k < arguments.inputs; k += 32) {
    float v[1];
    load(arguments.input, row * arguments.input.pitch + k, v);
    sum[0] += v[0] * arguments.weights[static_cast<std::int64_t>(output) * arguments.inputs + k];
  }
  for (int lane = 16; lane > 0; lane /= 2) sum[0] += __shfl_xor_sync(~0U, sum[0], lane);
  if (threadIdx.x % 32 == 0) run_epilogue(arguments.epilogue, row, output, sum);
}

/// A thread a pixel of the result.
__global__ void input_kernel(InputArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t pixels_an_image =
      static_cast<std::int64_t>(arguments.output_height) * arguments.output_width;
  if (index >= size.images * pixels_an_image) return;
  const std::int64_t image = index / pixels_an_image;
  const int x0 =
      static_cast<int>(index % arguments.output_width) * arguments.block - arguments.pad_x;
  const int y0 =
      static_cast<int>(index % pixels_an_image / arguments.output_width) * arguments.block -
      arguments.pad_y;
  int channel = 0;
  for (int dy = 0; dy < arguments.block; ++dy) {
    for (int dx = 0; dx < arguments.block; ++dx) {
      const int y = y0 + dy;
      const int x = x0 + dx;
      const bool is_inside = y >= 0 && x >= 0 && y < size.height && x < size.width;
      for (int c = 0; c < size.channels; ++c, ++channel) {
        float v[1] = {0};
        if (is_inside) {
          const std::int64_t from =
              arguments.channels_first
                  ? ((image * size.channels + c) * size.height + y) * size.width + x
                  : ((image * size.height + y) * size.width + x) * size.channels + c;
          v[0] = arguments.element == ElementType::kUInt8
                     ? static_cast<float>(static_cast<const unsigned char*>(arguments.data)[from])
                     : static_cast<const float*>(arguments.data)[from];
          scale_and_shift(arguments.epilogue.mul, arguments.epilogue.add, c, v);
        }
        store(arguments.epilogue.output, index * arguments.epilogue.output.pitch + channel, v);
      }
    }
  }
}

__global__ void output_kernel(OutputArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const std::int64_t pixels = static_cast<std::int64_t>(size.height) * size.width;
  const Position at = position_of<1>(size.images * pixels, size.channels);
  if (!at.is_inside) return;
  float v[1];
  load(arguments.input, at.pixel * arguments.input.pitch + at.channel, v);
  const std::int64_t to =
      arguments.channels_first
          ? (at.pixel / pixels * size.channels + at.channel) * pixels + at.pixel % pixels
          : at.pixel * size.channels + at.channel;
  arguments.data[to] = v[0];
}

__global__ void arg_max_kernel(ArgMaxArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= arguments.rows) return;
  float best = -INFINITY;
  int index = 0;
  for (int column = 0; column < arguments.columns; ++column) {
    float v[1];
    load(arguments.input, row * arguments.input.pitch + column, v);
    if (v[0] <= best) continue;
    best = v[0];
    index = column;
  }
  if (arguments.element == ElementType::kInt64) {
    static_cast<std::int64_t*>(arguments.data)[row] = index;
  } else {
    static_cast<std::int32_t*>(arguments.data)[row] = index;
  }
}

std::int64_t pixels_of(const ImageSize& size) {
  return static_cast<std::int64_t>(size.images) * size.height * size.width;
}

std::int64_t groups_of(int channels, int count) { return (channels + count - 1) / count; }

}  // namespace

cudaError_t launch_map(const PixelArguments& arguments, cudaStream_t stream) {
  const bool is_wide = is_vector_aligned(arguments.input) && is_vector_aligned(arguments.epilogue);
  const int count = is_wide ? kVector : 1;
  const unsigned blocks =
      blocks_for(pixels_of(arguments.size) * groups_of(arguments.size.channels, count));
  return launch(is_wide ? map_kernel<kVector> : map_kernel<1>, dim3(blocks), kThreads, 0, 1, stream,
                arguments);
}

cudaError_t launch_pool(const PoolArguments& arguments, cudaStream_t stream) {
  const bool is_wide = is_vector_aligned(arguments.input) && is_vector_aligned(arguments.epilogue);
  const int count = is_wide ? kVector : 1;
  const unsigned blocks = blocks_for(pixels_of(arguments.output_size) *
                                     groups_of(arguments.output_size.channels, count));
  return launch(is_wide ? pool_kernel<kVector> : pool_kernel<1>, dim3(blocks), kThreads, 0, 1,
                stream, arguments);
}

cudaError_t launch_mean(const PixelArguments& arguments, cudaStream_t stream) {
  const bool is_wide = is_vector_aligned(arguments.input) && is_vector_aligned(arguments.epilogue);
  const int count = is_wide ? kVector : 1;
  const unsigned blocks =
      blocks_for(32 * arguments.size.images * groups_of(arguments.size.channels, count));
  return launch(is_wide ? mean_kernel<kVector> : mean_kernel<1>, dim3(blocks), kThreads, 0, 1,
                stream, arguments);
}

cudaError_t launch_dense(const DenseArguments& arguments, cudaStream_t stream) {
  const std::int64_t warps = static_cast<std::int64_t>(arguments.rows) * arguments.outputs;
  return launch(dense_kernel, dim3(blocks_for(32 * warps)), kThreads, 0, 1, stream, arguments);
}

cudaError_t launch_input(const InputArguments& arguments, cudaStream_t stream) {
  const std::int64_t pixels = static_cast<std::int64_t>(arguments.size.images) *
                              arguments.output_height * arguments.output_width;
  return launch(input_kernel, dim3(blocks_for(pixels)), kThreads, 0, 1, stream, arguments);
}

cudaError_t launch_output(const OutputArguments& arguments, cudaStream_t stream) {
  const std::int64_t numbers = pixels_of(arguments.size) * arguments.size.channels;
  return launch(output_kernel, dim3(blocks_for(numbers)), kThreads, 0, 1, stream, arguments);
}

cudaError_t launch_arg_max(const ArgMaxArguments& arguments, cudaStream_t stream) {
  return launch(arg_max_kernel, dim3(blocks_for(arguments.rows)), kThreads, 0, 1, stream,
                arguments);
}

}  // namespace chexnet_trt::cuda
