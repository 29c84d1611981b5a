#include "backends/cuda/kernels/packed_vector.cuh"
#include "backends/cuda/kernels/pixels.cuh"
#include "backends/cuda/kernels/pool_window.cuh"
#include "backends/cuda/kernels/word_max.cuh"

namespace chexnet_trt::cuda {
namespace {

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

}  // namespace

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

}  // namespace chexnet_trt::cuda
