#pragma once

#include <type_traits>

#include "backends/cuda/kernels/launch.cuh"
#include "backends/cuda/kernels/tile_epilogue.cuh"
#include "backends/cuda/kernels/window.cuh"
#include "backends/cuda/kernels/word_copier.cuh"
#include "backends/cuda/kernels/word_mapper.cuh"

// Convolution as an implicit matrix product. A block copies its words of input and weights into a
// ring of stages in shared memory with cp.async while its warps multiply earlier ones. Word w of row
// r lies at w ^ (r % 8), so that ldmatrix meets no bank twice and wgmma finds its 128-byte swizzle.

namespace chexnet_trt::cuda {

template <typename T, typename Shape, bool IsPacked, bool IsPointwise, bool HasPrologue>
__global__ void __launch_bounds__(Shape::kBlockThreads, Shape::kBlocksAtOnce)
    conv_kernel(const __grid_constant__ ConvKernelArguments arguments) {
  extern __shared__ unsigned char dynamic_shared[];
  const auto unaligned = static_cast<unsigned>(__cvta_generic_to_shared(dynamic_shared));
  const unsigned ring = (unaligned + kRingAlignment - 1) / kRingAlignment * kRingAlignment;
  unsigned char* shared = dynamic_shared + (ring - unaligned);
  release_successor();
  const int first_word = static_cast<int>(blockIdx.z) * arguments.words_a_split;
  const int last_word = min(first_word + arguments.words_a_split, arguments.words);
  const int steps = (last_word - first_word + kStageWords - 1) / kStageWords;
  const auto row_tile = static_cast<int>(blockIdx.x / arguments.column_tiles);
  const int first_channel =
      (static_cast<int>(blockIdx.x) - row_tile * static_cast<int>(arguments.column_tiles)) *
      Shape::kColumns;
  WordCopier<T, Shape, IsPointwise> copier(arguments, row_tile * Shape::kRows, first_channel,
                                           first_word, last_word);
#pragma unroll
  for (int stage = 0; stage < Shape::kAhead; ++stage) {
    if (stage < steps) copier.copy_weights(ring + stage * Shape::kStage + Shape::kRowBytes, stage);
  }
  const int channels = arguments.conv.output_size.channels;
  const AffineShelf<Shape> shelf(reinterpret_cast<float*>(shared + Shape::kBody));
  if constexpr (IsPacked) shelf.copy(arguments.epilogue.epilogue.units, first_channel, channels);
  TileEpilogue<T, Shape, IsPacked> epilogue(arguments.epilogue,
                                            {row_tile * Shape::kRows, arguments.pixels}, shelf,
                                            first_channel, channels);
  WordMapper<T, Shape> mapper(arguments, first_word, last_word);
  wait_for_predecessors();
#pragma unroll
  for (int stage = 0; stage < Shape::kAhead; ++stage) {
    if (stage < steps) copier.copy_input(ring + stage * Shape::kStage);
    copier.advance();
    commit_copies();
  }
  if (gridDim.z == 1) epilogue.begin();
  Product<T, Shape> product;
  int reading = 0;
  int writing = Shape::kAhead;
  for (int step = 0; step < steps; ++step) {
    const unsigned rows = ring + static_cast<unsigned>(reading * Shape::kStage);
    if constexpr (HasPrologue) mapper.read_affine();
    wait_for_copies<Shape::kAhead - 1>();
    if constexpr (HasPrologue) mapper.map(rows);
    if constexpr (Shape::kUnit == Unit::kWarpgroup) publish_copies();
    __syncthreads();
    product.begin(rows, rows + Shape::kRowBytes);
    if constexpr (Shape::kOverlaps) product.template wait<1>();
    if (step + Shape::kAhead < steps) {
      const unsigned next = ring + static_cast<unsigned>(writing * Shape::kStage);
      copier.copy_weights(next + Shape::kRowBytes, 0);
      copier.copy_input(next);
      copier.advance();
    }
    commit_copies();
    if constexpr (!Shape::kOverlaps) product.template wait<0>();
    reading = reading + 1 == Shape::kStages ? 0 : reading + 1;
    writing = writing + 1 == Shape::kStages ? 0 : writing + 1;
  }
  if constexpr (Shape::kOverlaps) product.template wait<0>();
  if constexpr (Shape::kCanSplit) {
#if __CUDA_ARCH__ >= 900
    if (gridDim.z > 1) {
      wait_for_copies<0>();
      __syncthreads();
      return epilogue.finish_shared(product, reinterpret_cast<float4*>(shared));
    }
#endif
  }
  epilogue.finish(product);
}

template <typename T, typename Shape, bool IsPacked, bool IsPointwise, bool HasPrologue = false>
cudaError_t launch_kernel(const ConvKernelArguments& arguments, dim3 grid, cudaStream_t stream) {
  constexpr auto kKernel = conv_kernel<T, Shape, IsPacked, IsPointwise, HasPrologue>;
  static const cudaError_t configured =
      cudaFuncSetAttribute(kKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Shape::kShared);
  if (configured != cudaSuccess) return configured;
  return launch(kKernel, grid, Shape::kBlockThreads, Shape::kShared, grid.z, stream, arguments);
}

inline bool is_pointwise(const ConvArguments& conv) {
  const Window& window = conv.window;
  return window.height == 1 && window.width == 1 && window.stride_y == 1 && window.stride_x == 1 &&
         conv.input_size.height == conv.output_size.height &&
         conv.input_size.width == conv.output_size.width && window.pad_y == 0 && window.pad_x == 0;
}

/// fusion/fold_maps.cpp makes no others.
template <typename T>
bool takes_prologue(const ConvArguments& conv) {
  const DeviceEpilogue& prologue = conv.prologue;
  return is_pointwise(conv) && is_packed<T>(conv.input, kWordBytes) && prologue.units != nullptr &&
         is_floor(prologue.activation) &&
         conv.input_size.channels * static_cast<int>(sizeof(T)) % kWordBytes == 0;
}

template <typename T, typename Shape>
cudaError_t launch_tile(ConvKernelArguments arguments, int splits, cudaStream_t stream) {
  const int channels = arguments.conv.output_size.channels;
  arguments.column_tiles =
      static_cast<unsigned>((channels + Shape::kColumns - 1) / Shape::kColumns);
  const int stages = (arguments.words + kStageWords - 1) / kStageWords;
  arguments.words_a_split = (stages + splits - 1) / splits * kStageWords;
  const auto row_tiles =
      static_cast<unsigned>((arguments.pixels + Shape::kRows - 1) / Shape::kRows);
  const dim3 grid(row_tiles * arguments.column_tiles, 1, static_cast<unsigned>(splits));
  const bool packs = is_packed<T>(arguments.conv.epilogue, channels, Runs<T, Shape>::kRun);
  if (arguments.conv.has_prologue) {
    if (!packs || !takes_prologue<T>(arguments.conv)) return cudaErrorInvalidValue;
    return launch_kernel<T, Shape, true, true, true>(arguments, grid, stream);
  }
  if (!packs) {
    return launch_kernel<T, Shape, false, false>(arguments, grid, stream);
  }
  return is_pointwise(arguments.conv)
             ? launch_kernel<T, Shape, true, true>(arguments, grid, stream)
             : launch_kernel<T, Shape, true, false>(arguments, grid, stream);
}

template <typename T>
cudaError_t launch_warpgroup_tile(const ConvKernelArguments& arguments, const ConvTile& tile,
                                  cudaStream_t stream) {
  if constexpr (!std::is_same_v<T, float>) {
    constexpr Unit kGroup = Unit::kWarpgroup;
    const auto is = [&](int rows, int columns) {
      return tile.rows == rows && tile.columns == columns;
    };
    if (is(128, 256)) {
      return launch_tile<T, Tile<kGroup, 128, 256, 64, 256, 4, 1>>(arguments, 1, stream);
    }
    if (is(128, 128)) {
      return launch_tile<T, Tile<kGroup, 128, 128, 64, 128, 3, 2>>(arguments, 1, stream);
    }
    if (is(64, 128)) {
      return launch_tile<T, Tile<kGroup, 64, 128, 64, 128, 2, 4>>(arguments, 1, stream);
    }
    if (is(256, 128)) {
      return launch_tile<T, Tile<kGroup, 256, 128, 128, 128, 4, 1>>(arguments, 1, stream);
    }
    if (is(128, 64)) {
      return launch_tile<T, Tile<kGroup, 128, 64, 64, 64, 3, 3>>(arguments, 1, stream);
    }
    if (is(256, 64)) {
      return launch_tile<T, Tile<kGroup, 256, 64, 128, 64, 2, 2>>(arguments, 1, stream);
    }
    if (is(256, 32)) {
      return launch_tile<T, Tile<kGroup, 256, 32, 128, 32, 3, 2>>(arguments, 1, stream);
    }
    if (is(128, 32)) {
      return launch_tile<T, Tile<kGroup, 128, 32, 64, 32, 3, 3>>(arguments, 1, stream);
    }
    if (is(64, 32)) {
      return launch_tile<T, Tile<kGroup, 64, 32, 64, 32, 5, 3>>(arguments, tile.splits, stream);
    }
    if (is(64, 64)) {
      return launch_tile<T, Tile<kGroup, 64, 64, 64, 64, 4, 3>>(arguments, tile.splits, stream);
    }
  }
  return cudaErrorInvalidValue;
}

template <typename T>
cudaError_t launch_warp_tile(const ConvKernelArguments& arguments, const ConvTile& tile,
                             cudaStream_t stream) {
  constexpr Unit kWarp = Unit::kWarp;
  const auto is = [&](int rows, int columns) {
    return tile.rows == rows && tile.columns == columns;
  };
  if (is(128, 128)) {
    return launch_tile<T, Tile<kWarp, 128, 128, 64, 32, 3, 2>>(arguments, 1, stream);
  }
  if (is(128, 64)) {
    return launch_tile<T, Tile<kWarp, 128, 64, 32, 32, 3, 2>>(arguments, 1, stream);
  }
  if (is(128, 32)) {
    return launch_tile<T, Tile<kWarp, 128, 32, 32, 16, 3, 3>>(arguments, 1, stream);
  }
  if (is(64, 64)) {
    return launch_tile<T, Tile<kWarp, 64, 64, 32, 16, 3, 3>>(arguments, tile.splits, stream);
  }
  if (is(64, 32)) {
    return launch_tile<T, Tile<kWarp, 64, 32, 16, 16, 4, 3>>(arguments, tile.splits, stream);
  }
  if (is(32, 32)) {
    return launch_tile<T, Tile<kWarp, 32, 32, 16, 16, 4, 4>>(arguments, tile.splits, stream);
  }
  return cudaErrorInvalidValue;
}

template <typename T>
cudaError_t launch_window_tile(const ConvKernelArguments& arguments, const ConvTile& tile,
                               cudaStream_t stream) {
  if constexpr (!std::is_same_v<T, float>) {
    constexpr Unit kGroup = Unit::kWarpgroup;
    if (tile.columns == 64) {
      return launch_window<T, Tile<kGroup, 256, 64, 128, 64, 1, 2>>(arguments, stream);
    }
    if (tile.columns == 32) {
      return launch_window<T, Tile<kGroup, 256, 32, 128, 32, 1, 2>>(arguments, stream);
    }
  }
  return cudaErrorInvalidValue;
}

template <typename T>
cudaError_t launch_shape(const ConvKernelArguments& arguments, const ConvTile& tile,
                         cudaStream_t stream) {
  switch (tile.kernel) {
    case ConvKernel::kWindow:
      if (arguments.conv.has_prologue) return cudaErrorInvalidValue;
      return launch_window_tile<T>(arguments, tile, stream);
    case ConvKernel::kWarpgroup: return launch_warpgroup_tile<T>(arguments, tile, stream);
    default: return launch_warp_tile<T>(arguments, tile, stream);
  }
}

}  // namespace chexnet_trt::cuda
