#pragma once

#include "backends/cuda/kernels/packed_vector.cuh"
#include "backends/cuda/kernels/pixels.cuh"
#include "backends/cuda/kernels/pool_taps.cuh"
#include "backends/cuda/kernels/pool_window.cuh"

// Pooling by any window where everything is packed: a thread computes kVector channels of a pixel.

namespace chexnet_trt::cuda {

struct PackedPoolArguments {
  PoolArguments pool;
  StoredLevels levels;
  PackedEpilogue packed;
};

template <typename T, typename AllTaps>
__device__ void finish_pixel(const PackedPoolArguments& arguments, const KeptAffines& affines,
                             int pixel, int channel, const AllTaps& taps, int count) {
  Vector<T> residual;
  const DeviceValue& added = arguments.packed.epilogue.residual;
  if (added.data != nullptr) residual = read_vector<T>(added, pixel, channel);
  float v[kVector / 4][4];
  taps.finish(arguments.levels, count, v);
  finish_packed<T>(arguments.packed, affines, pixel, channel, residual, v);
}

template <typename T, bool IsMax>
__global__ void packed_pool_kernel(const __grid_constant__ PackedPoolArguments arguments) {
  release_successor();
  const PoolArguments& pool = arguments.pool;
  const Position at = position_of<kVector>(pixels_of(pool.output_size), pool.output_size.channels);
  wait_for_predecessors();
  if (!at.is_inside) return;
  const WindowPart part(pool, at.pixel);
  Taps<T, IsMax> taps;
  part.each(pool.input_size, [&](int pixel) {
    taps.take(arguments.levels, read_vector<T>(pool.input, pixel, at.channel));
  });
  const KeptAffines affines(arguments.packed, pool.output_size.channels, at.channel);
  finish_pixel<T>(arguments, affines, at.pixel, at.channel, taps, part.taps());
}

}  // namespace chexnet_trt::cuda
