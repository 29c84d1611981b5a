#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/launch.cuh"
#include "backends/cuda/kernels/packed.cuh"

// The kernels without a matrix product. A thread handles kVector channels of one pixel where the
// values are aligned, else one.

namespace chexnet_trt::cuda {
namespace {

struct Position {
  int pixel;
  int channel;
  bool is_inside;
};

template <int Count>
__device__ Position position_of(int pixels, int channels) {
  const unsigned groups = static_cast<unsigned>(channels + Count - 1) / Count;
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned pixel = index / groups;
  return {static_cast<int>(pixel), static_cast<int>(index - pixel * groups) * Count,
          pixel < static_cast<unsigned>(pixels)};
}

__host__ __device__ int pixels_of(const ImageSize& size) {
  return size.images * size.height * size.width;
}

template <int Count>
__device__ void finish(const DeviceEpilogue& epilogue, const Position& at, int channels,
                       float (&v)[Count]) {
  if (at.channel + Count <= channels) return run_epilogue(epilogue, at.pixel, at.channel, v);
  run_epilogue_tail(epilogue, at.pixel, at.channel, channels, v, Count);
}

template <typename T, int Count>
__device__ void load_pixel(const DeviceValue& value, int pixel, int channel, float (&v)[Count]) {
  load_as<T>(value.data, static_cast<std::int64_t>(pixel) * value.pitch + channel, value.scale, v);
}

template <typename T, int Count>
__global__ void map_kernel(const __grid_constant__ PixelArguments arguments) {
  release_successor();
  const ImageSize& size = arguments.size;
  const Position at = position_of<Count>(pixels_of(size), size.channels);
  wait_for_predecessors();
  if (!at.is_inside) return;
  float v[Count];
  load_pixel<T>(arguments.input, at.pixel, at.channel, v);
  finish(arguments.epilogue, at, size.channels, v);
}

/// Scales and shifts of a thread's kVector channels.
struct KeptAffines {
  AffineFour four[kVector / 4];
  __device__ KeptAffines(const PackedEpilogue& packed, int channels, int channel) {
    const float* units = packed.epilogue.units;
#pragma unroll
    for (int i = 0; i < kVector / 4; ++i) {
      four[i] = affine_four(units, units_pitch(channels), channel + i * 4);
    }
  }
};

template <typename T>
using Vector = RunOf<T, kVector>;

template <typename T>
__device__ Vector<T> read_vector(const DeviceValue& value, std::int64_t pixel, int channel) {
  return {read_packed<T, kVector>(value, pixel * value.pitch + channel)};
}

template <typename T>
__device__ void finish_packed(const PackedEpilogue& packed, const KeptAffines& affines,
                              std::int64_t pixel, int channel, const Vector<T>& residual,
                              float (&v)[kVector / 4][4]) {
  Vector<T> output;
  Vector<T> second;
  with_form(packed, [&](auto form) {
#pragma unroll
    for (int i = 0; i < kVector / 4; ++i) {
      const auto result =
          run_packed_epilogue<T, decltype(form)>(packed, affines.four[i], residual.part(i), v[i]);
      output.set(i, result.first);
      second.set(i, result.second);
    }
  });
  const auto write = [&](const DeviceValue& value, const Vector<T>& vector) {
    if (value.data != nullptr) write_packed(value, pixel * value.pitch + channel, vector.run);
  };
  write(packed.epilogue.output, output);
  write(packed.epilogue.second, second);
}

struct PackedMapArguments {
  DeviceValue input;
  StoredLevels levels;
  ImageSize size;
  PackedEpilogue packed;
};

constexpr int kMapPixels = 4;  ///< a thread's

/// Where everything is packed. Threads x kMapPixels cover the pixels of one group of channels each.
template <typename T>
__global__ void packed_map_kernel(const __grid_constant__ PackedMapArguments arguments) {
  release_successor();
  const ImageSize& size = arguments.size;
  const unsigned groups = static_cast<unsigned>(size.channels) / kVector;
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  const int pixels = pixels_of(size);
  const int stride = (pixels + kMapPixels - 1) / kMapPixels;
  const int first = static_cast<int>(index / groups);
  const int channel = static_cast<int>(index % groups) * kVector;
  if (first >= stride) return wait_for_predecessors();
  const KeptAffines affines(arguments.packed, size.channels, channel);
  wait_for_predecessors();
  Vector<T> inputs[kMapPixels];
  Vector<T> residuals[kMapPixels];
  const DeviceValue& residual = arguments.packed.epilogue.residual;
#pragma unroll
  for (int i = 0; i < kMapPixels; ++i) {
    const int pixel = min(first + i * stride, pixels - 1);
    inputs[i] = read_vector<T>(arguments.input, pixel, channel);
    if (residual.data != nullptr) residuals[i] = read_vector<T>(residual, pixel, channel);
  }
#pragma unroll
  for (int i = 0; i < kMapPixels; ++i) {
    const int pixel = first + i * stride;
    if (pixel >= pixels) return;
    float v[kVector / 4][4];
#pragma unroll
    for (int part = 0; part < kVector / 4; ++part) {
      unpack<T>(arguments.levels, inputs[i].part(part), v[part]);
    }
    finish_packed<T>(arguments.packed, affines, pixel, channel, residuals[i], v);
  }
}

/// The taps of a window that lie in the image.
struct WindowPart {
  int image;
  int first_y, last_y;
  int first_x, last_x;

  __device__ WindowPart(const PoolArguments& arguments, int pixel) {
    const ImageSize& in = arguments.input_size;
    const ImageSize& out = arguments.output_size;
    const Window& window = arguments.window;
    const int line = pixel / out.width;
    image = line / out.height;
    const int x = (pixel - line * out.width) * window.stride_x - window.pad_x;
    const int y = (line - image * out.height) * window.stride_y - window.pad_y;
    first_x = max(x, 0), last_x = min(x + window.width, in.width);
    first_y = max(y, 0), last_y = min(y + window.height, in.height);
  }
  __device__ int taps() const { return (last_y - first_y) * (last_x - first_x); }

  /// `take(pixel)` of every tap.
  template <typename Take>
  __device__ void each(const ImageSize& in, Take take) const {
    for (int y = first_y; y < last_y; ++y) {
#pragma unroll 3
      for (int x = first_x; x < last_x; ++x) take((image * in.height + y) * in.width + x);
    }
  }
};

template <typename T, int Count>
__global__ void pool_kernel(const __grid_constant__ PoolArguments arguments) {
  release_successor();
  const ImageSize& out = arguments.output_size;
  const Position at = position_of<Count>(pixels_of(out), out.channels);
  wait_for_predecessors();
  if (!at.is_inside) return;
  const WindowPart part(arguments, at.pixel);
  float v[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] = arguments.is_max ? -INFINITY : 0.0F;
  part.each(arguments.input_size, [&](int pixel) {
    float tap[Count];
    load_pixel<T>(arguments.input, pixel, at.channel, tap);
#pragma unroll
    for (int i = 0; i < Count; ++i) {
      v[i] = arguments.is_max ? fmaxf(v[i], tap[i]) : v[i] + tap[i];
    }
  });
  const float divisor = arguments.is_max ? 1.0F : 1.0F / static_cast<float>(part.taps());
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] *= divisor;
  finish(arguments.epilogue, at, out.channels, v);
}

/// The largest of stored numbers, a word at a time.
template <typename T>
struct WordMax {
  using Pair = typename FloatPairs<T>::Pair;
  Pair largest = FloatPairs<T>::from_floats(-INFINITY, -INFINITY);
  __device__ void take(unsigned word) {
    largest = __hmax2(largest, *reinterpret_cast<const Pair*>(&word));
  }
  __device__ unsigned get() const { return *reinterpret_cast<const unsigned*>(&largest); }
};
template <>
struct WordMax<float> {
  float largest = -INFINITY;
  __device__ void take(unsigned word) { largest = fmaxf(largest, __uint_as_float(word)); }
  __device__ unsigned get() const { return __float_as_uint(largest); }
};
/// Bytes as the upper halves of 16-bit numbers: what lies below an upper half decides nothing.
template <>
struct WordMax<unsigned char> {
  unsigned odd = 0;
  unsigned even = 0;
  __device__ void take(unsigned word) {
    odd = __vmaxu2(odd, word);
    even = __vmaxu2(even, word << 8);
  }
  __device__ unsigned get() const { return __byte_perm(even, odd, 0x7351); }
};
template <>
struct WordMax<signed char> {
  unsigned odd = 0x80008000U;
  unsigned even = 0x80008000U;
  __device__ void take(unsigned word) {
    odd = __vmaxs2(odd, word);
    even = __vmaxs2(even, word << 8);
  }
  __device__ unsigned get() const { return __byte_perm(even, odd, 0x7351); }
};

struct PackedPoolArguments {
  PoolArguments pool;
  StoredLevels levels;
  PackedEpilogue packed;
};

/// Where everything is packed.
template <typename T, bool IsMax>
__global__ void packed_pool_kernel(const __grid_constant__ PackedPoolArguments arguments) {
  release_successor();
  const PoolArguments& pool = arguments.pool;
  const Position at = position_of<kVector>(pixels_of(pool.output_size), pool.output_size.channels);
  wait_for_predecessors();
  if (!at.is_inside) return;
  const WindowPart part(pool, at.pixel);
  float v[kVector / 4][4] = {};
  if constexpr (IsMax) {
    constexpr int kWords = kVector * sizeof(T) / 4;
    WordMax<T> largest[kWords];
    part.each(pool.input_size, [&](int pixel) {
      const Vector<T> tap = read_vector<T>(pool.input, pixel, at.channel);
#pragma unroll
      for (int i = 0; i < kWords; ++i) largest[i].take(tap.run.words[i]);
    });
    Vector<T> result;
#pragma unroll
    for (int i = 0; i < kWords; ++i) result.run.words[i] = largest[i].get();
#pragma unroll
    for (int i = 0; i < kVector / 4; ++i) unpack<T>(arguments.levels, result.part(i), v[i]);
  } else {
    part.each(pool.input_size, [&](int pixel) {
      const Vector<T> tap = read_vector<T>(pool.input, pixel, at.channel);
#pragma unroll
      for (int i = 0; i < kVector / 4; ++i) {
        float four[4];
        unpack<T>(arguments.levels, tap.part(i), four);
#pragma unroll
        for (int k = 0; k < 4; ++k) v[i][k] += four[k];
      }
    });
    const float share = 1.0F / static_cast<float>(part.taps());
#pragma unroll
    for (int i = 0; i < kVector; ++i) v[i / 4][i % 4] *= share;
  }
  Vector<T> residual;
  const DeviceValue& added = arguments.packed.epilogue.residual;
  if (added.data != nullptr) residual = read_vector<T>(added, at.pixel, at.channel);
  const KeptAffines affines(arguments.packed, pool.output_size.channels, at.channel);
  finish_packed<T>(arguments.packed, affines, at.pixel, at.channel, residual, v);
}

constexpr int kMeanGroups = 32;                      ///< of channels, a block's
constexpr int kMeanShares = kThreads / kMeanGroups;  ///< threads that share the pixels of a group

/// Blocks: images x groups of channels.
template <typename T, int Count>
__global__ void mean_kernel(const __grid_constant__ PixelArguments arguments) {
  __shared__ float sums[kMeanShares][kMeanGroups][Count + 1];
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const int group = static_cast<int>(threadIdx.x) % kMeanGroups;
  const int share = static_cast<int>(threadIdx.x) / kMeanGroups;
  const int channel = (static_cast<int>(blockIdx.y) * kMeanGroups + group) * Count;
  const int image = static_cast<int>(blockIdx.x);
  const int pixels = size.height * size.width;
  float sum[Count] = {};
  if (channel < size.channels) {
#pragma unroll 4
    for (int pixel = share; pixel < pixels; pixel += kMeanShares) {
      float v[Count];
      load_pixel<T>(arguments.input, image * pixels + pixel, channel, v);
#pragma unroll
      for (int i = 0; i < Count; ++i) sum[i] += v[i];
    }
  }
#pragma unroll
  for (int i = 0; i < Count; ++i) sums[share][group][i] = sum[i];
  __syncthreads();
  if (share != 0 || channel >= size.channels) return;
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    for (int other = 1; other < kMeanShares; ++other) sum[i] += sums[other][group][i];
    sum[i] /= static_cast<float>(pixels);
  }
  finish(arguments.epilogue, {image, channel, true}, size.channels, sum);
}

/// A warp a number; its lanes take `Count` inputs in turn.
template <typename T, int Count>
__global__ void dense_kernel(const __grid_constant__ DenseArguments arguments) {
  release_successor();
  const int warp = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / 32);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int row = warp / arguments.outputs;
  const int output = warp % arguments.outputs;
  wait_for_predecessors();
  if (row >= arguments.rows) return;
  const float* weights = arguments.weights + static_cast<std::int64_t>(output) * arguments.inputs;
  float sum[1] = {0};
#pragma unroll 4
  for (int k = lane * Count; k < arguments.inputs; k += 32 * Count) {
    float v[Count];
    float w[Count];
    load_pixel<T>(arguments.input, row, k, v);
    load_as<float>(weights, k, 1.0F, w);
#pragma unroll
    for (int i = 0; i < Count; ++i) sum[0] += v[i] * w[i];
  }
  for (int other = 16; other > 0; other /= 2) sum[0] += __shfl_xor_sync(~0U, sum[0], other);
  if (lane == 0) run_epilogue(arguments.epilogue, row, output, sum);
}

__device__ float read_input(const InputArguments& arguments, int image, int y, int x, int c) {
  const ImageSize& size = arguments.size;
  if (y < 0 || x < 0 || y >= size.height || x >= size.width) return 0.0F;
  const std::int64_t from =
      arguments.channels_first
          ? ((static_cast<std::int64_t>(image) * size.channels + c) * size.height + y) *
                    size.width +
                x
          : ((static_cast<std::int64_t>(image) * size.height + y) * size.width + x) *
                    size.channels +
                c;
  float v[1] = {arguments.element == ElementType::kUInt8
                    ? static_cast<float>(static_cast<const unsigned char*>(arguments.data)[from])
                    : static_cast<const float*>(arguments.data)[from]};
  scale_and_shift(arguments.epilogue.mul, arguments.epilogue.add, c, v);
  return v[0];
}

/// A thread a pixel of the result. `Block` and `Channels` as in the arguments, which keeps the
/// pixel in registers, or 0.
template <int Block, int Channels>
__global__ void input_kernel(const __grid_constant__ InputArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const int block = Block > 0 ? Block : arguments.block;
  const int channels = Channels > 0 ? Channels : size.channels;
  const DeviceValue& output = arguments.epilogue.output;
  const int pixel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int line = pixel / arguments.output_width;
  const int image = line / arguments.output_height;
  if (image >= size.images) return;
  const int x0 = (pixel - line * arguments.output_width) * block - arguments.pad_x;
  const int y0 = (line - image * arguments.output_height) * block - arguments.pad_y;
  const auto number = [&](int index) {
    const int c = index % channels;
    const int dx = index / channels % block;
    return read_input(arguments, image, y0 + index / (channels * block), x0 + dx, c);
  };
  const int count = block * block * channels;
  const std::int64_t first = static_cast<std::int64_t>(pixel) * output.pitch;
  if constexpr (Block > 0) {
    constexpr int kCount = Block * Block * Channels;
#pragma unroll
    for (int group = 0; group < (kCount + kVector - 1) / kVector; ++group) {
      float v[kVector];
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        const int index = group * kVector + i;
        v[i] = index < kCount ? number(index) : 0.0F;
      }
      store(output, first + group * kVector, v);
    }
  } else {
    for (int index = 0; index < count; ++index) {
      float v[1] = {number(index)};
      store(output, first + index, v);
    }
  }
}

__global__ void output_kernel(OutputArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const int pixels = size.height * size.width;
  const Position at = position_of<1>(size.images * pixels, size.channels);
  if (!at.is_inside) return;
  float v[1];
  load(arguments.input, at.pixel * arguments.input.pitch + at.channel, v);
  const std::int64_t image = at.pixel / pixels;
  const std::int64_t to = arguments.channels_first
                              ? (image * size.channels + at.channel) * pixels + at.pixel % pixels
                              : static_cast<std::int64_t>(at.pixel) * size.channels + at.channel;
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

std::int64_t groups_of(const ImageSize& size, int count) {
  return static_cast<std::int64_t>(pixels_of(size)) * ((size.channels + count - 1) / count);
}

template <typename T>
struct Stored {
  using Type = T;
};

/// What `function` does of the type that `element` is stored as.
template <typename Function>
cudaError_t with_type(ElementType element, Function function) {
  switch (element) {
    case ElementType::kFloat16: return function(Stored<__half>());
    case ElementType::kBFloat16: return function(Stored<__nv_bfloat16>());
    case ElementType::kInt8: return function(Stored<signed char>());
    case ElementType::kUInt8: return function(Stored<unsigned char>());
    default: return function(Stored<float>());
  }
}

bool is_wide(const DeviceValue& input, const DeviceEpilogue& epilogue) {
  return is_vector_aligned(input) && is_vector_aligned(epilogue);
}

}  // namespace

cudaError_t launch_map(const PixelArguments& arguments, cudaStream_t stream) {
  return with_type(arguments.input.element, [&](auto stored) {
    using T = typename decltype(stored)::Type;
    const DeviceValue& input = arguments.input;
    if (is_packed<T>(input, kVector) &&
        is_packed<T>(arguments.epilogue, arguments.size.channels, kVector)) {
      const std::int64_t pixels = (pixels_of(arguments.size) + kMapPixels - 1) / kMapPixels;
      const PackedMapArguments packed{input, stored_levels(input), arguments.size,
                                      PackedEpilogue(arguments.epilogue)};
      return launch(packed_map_kernel<T>,
                    dim3(blocks_for(pixels * (arguments.size.channels / kVector))), kThreads, 0, 1,
                    stream, packed);
    }
    const bool wide = is_wide(input, arguments.epilogue);
    const dim3 blocks(blocks_for(groups_of(arguments.size, wide ? kVector : 1)));
    return launch(wide ? map_kernel<T, kVector> : map_kernel<T, 1>, blocks, kThreads, 0, 1, stream,
                  arguments);
  });
}

cudaError_t launch_pool(const PoolArguments& arguments, cudaStream_t stream) {
  return with_type(arguments.input.element, [&](auto stored) {
    using T = typename decltype(stored)::Type;
    const DeviceValue& input = arguments.input;
    const bool packed = is_packed<T>(input, kVector) &&
                        is_packed<T>(arguments.epilogue, arguments.output_size.channels, kVector);
    const bool wide = is_wide(input, arguments.epilogue);
    const dim3 blocks(blocks_for(groups_of(arguments.output_size, packed || wide ? kVector : 1)));
    if (packed) {
      return launch(
          arguments.is_max ? packed_pool_kernel<T, true> : packed_pool_kernel<T, false>, blocks,
          kThreads, 0, 1, stream,
          PackedPoolArguments{arguments, stored_levels(input), PackedEpilogue(arguments.epilogue)});
    }
    return launch(wide ? pool_kernel<T, kVector> : pool_kernel<T, 1>, blocks, kThreads, 0, 1,
                  stream, arguments);
  });
}

cudaError_t launch_mean(const PixelArguments& arguments, cudaStream_t stream) {
  return with_type(arguments.input.element, [&](auto stored) {
    using T = typename decltype(stored)::Type;
    const bool wide = is_wide(arguments.input, arguments.epilogue);
    const int channels_a_block = kMeanGroups * (wide ? kVector : 1);
    const dim3 blocks(
        static_cast<unsigned>(arguments.size.images),
        static_cast<unsigned>((arguments.size.channels + channels_a_block - 1) / channels_a_block));
    return launch(wide ? mean_kernel<T, kVector> : mean_kernel<T, 1>, blocks, kThreads, 0, 1,
                  stream, arguments);
  });
}

cudaError_t launch_dense(const DenseArguments& arguments, cudaStream_t stream) {
  return with_type(arguments.input.element, [&](auto stored) {
    using T = typename decltype(stored)::Type;
    const bool wide = is_vector_aligned(arguments.input) && arguments.inputs % kVector == 0;
    const std::int64_t warps = static_cast<std::int64_t>(arguments.rows) * arguments.outputs;
    return launch(wide ? dense_kernel<T, kVector> : dense_kernel<T, 1>,
                  dim3(blocks_for(32 * warps)), kThreads, 0, 1, stream, arguments);
  });
}

cudaError_t launch_input(const InputArguments& arguments, cudaStream_t stream) {
  const std::int64_t pixels = static_cast<std::int64_t>(arguments.size.images) *
                              arguments.output_height * arguments.output_width;
  const bool is_colour_blocks = arguments.block == 2 && arguments.size.channels == 3 &&
                                arguments.epilogue.output.pitch % kVector == 0;
  return launch(is_colour_blocks ? input_kernel<2, 3> : input_kernel<0, 0>,
                dim3(blocks_for(pixels)), kThreads, 0, 1, stream, arguments);
}

cudaError_t launch_output(const OutputArguments& arguments, cudaStream_t stream) {
  return launch(output_kernel, dim3(blocks_for(groups_of(arguments.size, 1))), kThreads, 0, 1,
                stream, arguments);
}

cudaError_t launch_arg_max(const ArgMaxArguments& arguments, cudaStream_t stream) {
  return launch(arg_max_kernel, dim3(blocks_for(arguments.rows)), kThreads, 0, 1, stream,
                arguments);
}

}  // namespace chexnet_trt::cuda
