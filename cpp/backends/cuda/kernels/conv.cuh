#pragma once

#include <cooperative_groups.h>

#include "backends/cuda/kernels/conv_launch.hpp"
#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/launch.cuh"
#include "backends/cuda/kernels/tensor_core.cuh"

// Convolution as an implicit matrix product: output pixels x output channels, summed over the words
// of 16 bytes of input channels of every tap. A block copies its words of input and weights into a
// ring of stages in shared memory with cp.async while its warps multiply earlier ones. Word w of row
// r lies at w ^ (r / 2 % 4), so that ldmatrix meets no bank twice.

namespace chexnet_trt::cuda {

constexpr int kWordBytes = 16;
constexpr int kStageWords = 4;  ///< a row's in one stage
constexpr int kStageBytes = kStageWords * kWordBytes;

template <int Rows_, int Columns_, int WarpRows_, int WarpColumns_, int Stages_>
struct Tile {
  static constexpr int kRows = Rows_;
  static constexpr int kColumns = Columns_;
  static constexpr int kWarpRows = WarpRows_;
  static constexpr int kWarpColumns = WarpColumns_;
  static constexpr int kStages = Stages_;
  static constexpr int kWarpsDown = kRows / kWarpRows;
  static constexpr int kWarps = kWarpsDown * (kColumns / kWarpColumns);
  static constexpr int kBlockThreads = kWarps * 32;
  /// By registers: a thread's sums, and about as many again.
  static constexpr int kBlocksAtOnce = kWarpRows * kWarpColumns > 64 * 32 ? 1 : 2;
  static constexpr int kStage = (kRows + kColumns) * kStageBytes;
  /// Floats between the rows of a warp's strip of 16 rows in the epilogue.
  static constexpr int kStripPitch = kWarpColumns + 4;
  static constexpr int kStrips = kWarps * 16 * kStripPitch * 4;
  /// Floats between the rows of a whole tile, when blocks share a sum.
  static constexpr int kTilePitch = kColumns + 4;
  static constexpr bool kCanSplit = kRows * kColumns <= 64 * 64;
  static constexpr int kWholeTile = kCanSplit ? kRows * kTilePitch * 4 : 0;
  static constexpr int kRing = kStages * kStage;
  static constexpr int kEpilogue = kStrips > kWholeTile ? kStrips : kWholeTile;
  static constexpr int kShared = kRing > kEpilogue ? kRing : kEpilogue;
};

__device__ inline unsigned word_address(unsigned base, int row, int word) {
  return base + static_cast<unsigned>(row * kStageBytes + ((word ^ ((row >> 1) & 3)) * kWordBytes));
}

/// Copies one word of every row of a tile side for each stage, walking over the taps. A thread
/// handles word `threadIdx.x % 4` of the rows `threadIdx.x / 4 + i * threads / 4`.
template <typename Shape>
class WordCopier {
  static constexpr int kStep = Shape::kBlockThreads / kStageWords;
  static constexpr int kInputRows = (Shape::kRows + kStep - 1) / kStep;
  static constexpr int kWeightRows = (Shape::kColumns + kStep - 1) / kStep;

 public:
  __device__ WordCopier(const ConvKernelArguments& arguments, int first_word, int last_word)
      : arguments_(arguments),
        slot_(static_cast<int>(threadIdx.x) % kStageWords),
        row_(static_cast<int>(threadIdx.x) / kStageWords),
        word_(first_word + slot_),
        last_word_(last_word) {
    const int tap = word_ / arguments.words_a_tap;
    word_in_tap_ = word_ % arguments.words_a_tap;
    tap_y_ = tap / arguments.conv.window.width;
    tap_x_ = tap % arguments.conv.window.width;
    const Window& window = arguments.conv.window;
    const ImageSize& out = arguments.conv.output_size;
#pragma unroll
    for (int i = 0; i < kInputRows; ++i) {
      const int pixel =
          static_cast<int>(blockIdx.x / arguments.column_tiles) * Shape::kRows + row_ + i * kStep;
      const bool is_inside = pixel < arguments.pixels;
      const int line = pixel / out.width;
      const int image = line / out.height;
      x_[i] = (pixel - line * out.width) * window.stride_x - window.pad_x;
      y_[i] = is_inside ? (line - image * out.height) * window.stride_y - window.pad_y : kOutside;
      image_[i] = static_cast<const char*>(arguments.conv.input.data) +
                  (is_inside ? image : 0) * arguments.image_bytes;
    }
    const int column =
        static_cast<int>(blockIdx.x % arguments.column_tiles) * Shape::kColumns + row_;
    weights_ = static_cast<const char*>(arguments.conv.weights);
    column_ = column;
  }

  /// Weights do not depend on earlier kernels.
  __device__ void copy_weights(unsigned stage) {
    const bool is_left = word_ < last_word_;
#pragma unroll
    for (int i = 0; i < kWeightRows; ++i) {
      const int row = row_ + i * kStep;
      if (Shape::kColumns % kStep != 0 && row >= Shape::kColumns) break;
      const int column = column_ + i * kStep;
      const bool is_there = is_left && column < arguments_.conv.output_size.channels;
      const std::int64_t offset =
          is_there ? (static_cast<std::int64_t>(column) * arguments_.words + word_) * kWordBytes
                   : 0;
      copy_word_async(word_address(stage + Shape::kRows * kStageBytes, row, slot_),
                      weights_ + offset, is_there ? kWordBytes : 0);
    }
  }

  __device__ void copy_input(unsigned stage) {
    const Window& window = arguments_.conv.window;
    const ImageSize& in = arguments_.conv.input_size;
    const bool is_left = word_ < last_word_;
    const int bytes = min(kWordBytes, arguments_.pixel_bytes - word_in_tap_ * kWordBytes);
#pragma unroll
    for (int i = 0; i < kInputRows; ++i) {
      const int row = row_ + i * kStep;
      if (Shape::kRows % kStep != 0 && row >= Shape::kRows) break;
      const int y = y_[i] + tap_y_ * window.dilation_y;
      const int x = x_[i] + tap_x_ * window.dilation_x;
      const bool is_there = is_left && y >= 0 && x >= 0 && y < in.height && x < in.width;
      const std::int64_t offset =
          is_there ? static_cast<std::int64_t>(y * in.width + x) * arguments_.pitch_bytes +
                         word_in_tap_ * kWordBytes
                   : 0;
      copy_word_async(word_address(stage, row, slot_), image_[i] + offset, is_there ? bytes : 0);
    }
  }

  __device__ void advance() {
    word_ += kStageWords;
    word_in_tap_ += kStageWords;
    while (word_in_tap_ >= arguments_.words_a_tap) {
      word_in_tap_ -= arguments_.words_a_tap;
      if (++tap_x_ == arguments_.conv.window.width) {
        tap_x_ = 0;
        ++tap_y_;
      }
    }
  }

 private:
  static constexpr int kOutside = -(1 << 28);

  const ConvKernelArguments& arguments_;
  int slot_;
  int row_;
  int word_;
  int last_word_;
  int word_in_tap_;
  int tap_y_;
  int tap_x_;
  int column_;
  int x_[kInputRows];
  int y_[kInputRows];
  const char* image_[kInputRows];
  const char* weights_;
};

/// The sums of a warp: strips of 16 rows by columns of 8. In a fragment a thread holds rows
/// lane / 4 and lane / 4 + 8, columns 2 * (lane % 4) and the next.
template <typename T, typename Shape>
class WarpProduct {
 public:
  static constexpr int kStripCount = Shape::kWarpRows / 16;
  static constexpr int kColumnCount = Shape::kWarpColumns / 8;
  using Accumulator = typename TensorCore<T>::Accumulator;

  __device__ WarpProduct()
      : lane_(static_cast<int>(threadIdx.x) % 32),
        first_row_(static_cast<int>(threadIdx.x) / 32 % Shape::kWarpsDown * Shape::kWarpRows),
        first_column_(static_cast<int>(threadIdx.x) / 32 / Shape::kWarpsDown *
                      Shape::kWarpColumns) {}

  __device__ int first_row() const { return first_row_; }
  __device__ int first_column() const { return first_column_; }

  __device__ void multiply(unsigned stage) {
    if constexpr (sizeof(T) == sizeof(float)) {
      multiply_floats(stage);
    } else {
      multiply_matrices(stage);
    }
  }

  /// The strip as floats, rows `pitch` floats apart.
  __device__ void store_strip(int strip, float* to, int pitch) const {
    const int row = lane_ / 4;
    const int column = lane_ % 4 * 2;
#pragma unroll
    for (int j = 0; j < kColumnCount; ++j) {
      const Accumulator* sum = sums_[strip][j];
      float* at = to + row * pitch + j * 8 + column;
      *reinterpret_cast<float2*>(at) =
          make_float2(static_cast<float>(sum[0]), static_cast<float>(sum[1]));
      *reinterpret_cast<float2*>(at + 8 * pitch) =
          make_float2(static_cast<float>(sum[2]), static_cast<float>(sum[3]));
    }
  }

 private:
  __device__ void multiply_matrices(unsigned stage) {
    const unsigned weights = stage + Shape::kRows * kStageBytes;
#pragma unroll
    for (int half = 0; half < kStageWords / 2; ++half) {
      unsigned a[kStripCount][4];
      unsigned b[(kColumnCount + 1) / 2][4];
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
        load_matrices(a[i],
                      word_address(stage, first_row_ + i * 16 + lane_ % 16, half * 2 + lane_ / 16));
      }
#pragma unroll
      for (int j = 0; j < kColumnCount / 2; ++j) {
        load_matrices(b[j],
                      word_address(weights, first_column_ + j * 16 + lane_ % 8 + lane_ / 16 * 8,
                                   half * 2 + lane_ / 8 % 2));
      }
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
#pragma unroll
        for (int j = 0; j < kColumnCount; ++j) {
          TensorCore<T>::multiply(sums_[i][j], a[i], &b[j / 2][j % 2 * 2]);
        }
      }
    }
  }

  __device__ static float float_at(unsigned base, int row, int k) {
    float value;
    asm volatile("ld.shared.f32 %0, [%1];"
                 : "=f"(value)
                 : "r"(word_address(base, row, k / 4) + static_cast<unsigned>(k % 4 * 4)));
    return value;
  }

  __device__ void multiply_floats(unsigned stage) {
    const unsigned weights = stage + Shape::kRows * kStageBytes;
    for (int k = 0; k < kStageWords * 4; ++k) {
      float a[kStripCount][2];
      float b[kColumnCount][2];
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
        a[i][0] = float_at(stage, first_row_ + i * 16 + lane_ / 4, k);
        a[i][1] = float_at(stage, first_row_ + i * 16 + lane_ / 4 + 8, k);
      }
#pragma unroll
      for (int j = 0; j < kColumnCount; ++j) {
        b[j][0] = float_at(weights, first_column_ + j * 8 + lane_ % 4 * 2, k);
        b[j][1] = float_at(weights, first_column_ + j * 8 + lane_ % 4 * 2 + 1, k);
      }
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
#pragma unroll
        for (int j = 0; j < kColumnCount; ++j) {
          sums_[i][j][0] += a[i][0] * b[j][0];
          sums_[i][j][1] += a[i][0] * b[j][1];
          sums_[i][j][2] += a[i][1] * b[j][0];
          sums_[i][j][3] += a[i][1] * b[j][1];
        }
      }
    }
  }

  int lane_;
  int first_row_;
  int first_column_;
  Accumulator sums_[kStripCount][kColumnCount][4] = {};
};

__device__ inline void load_floats(const float* from, float (&v)[kVector]) {
  const float4 low = *reinterpret_cast<const float4*>(from);
  const float4 high = *reinterpret_cast<const float4*>(from + 4);
  v[0] = low.x, v[1] = low.y, v[2] = low.z, v[3] = low.w;
  v[4] = high.x, v[5] = high.y, v[6] = high.z, v[7] = high.w;
}

__device__ inline void finish_channels(const ConvKernelArguments& arguments, int pixel, int channel,
                                       float (&v)[kVector]) {
  const int channels = arguments.conv.output_size.channels;
  if (pixel >= arguments.pixels || channel >= channels) return;
  if (arguments.is_wide && channel + kVector <= channels) {
    run_epilogue(arguments.conv.epilogue, pixel, channel, v);
  } else {
    float copy[kVector];
#pragma unroll
    for (int i = 0; i < kVector; ++i) copy[i] = v[i];
    run_epilogue_tail(arguments.conv.epilogue, pixel, channel, channels, copy);
  }
}

/// Each warp turns its strips around in shared memory, so that its threads store whole sectors.
template <typename T, typename Shape>
__device__ void finish_strips(const ConvKernelArguments& arguments,
                              const WarpProduct<T, Shape>& product, float* shared, int first_pixel,
                              int first_channel) {
  constexpr int kThreadsARow = Shape::kWarpColumns / kVector;
  constexpr int kRowsAtOnce = 32 / kThreadsARow;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  float* strip = shared + static_cast<int>(threadIdx.x) / 32 * 16 * Shape::kStripPitch;
  const int column = lane % kThreadsARow * kVector;
  // Unrolled, or the sums would lie in local memory.
#pragma unroll
  for (int i = 0; i < WarpProduct<T, Shape>::kStripCount; ++i) {
    product.store_strip(i, strip, Shape::kStripPitch);
    __syncwarp();
    for (int row = lane / kThreadsARow; row < 16; row += kRowsAtOnce) {
      float v[kVector];
      load_floats(strip + row * Shape::kStripPitch + column, v);
      finish_channels(arguments, first_pixel + product.first_row() + i * 16 + row,
                      first_channel + product.first_column() + column, v);
    }
    __syncwarp();
  }
}

/// The blocks of a cluster each add up a part of the rows of all their tiles.
template <typename T, typename Shape>
__device__ void finish_cluster(const ConvKernelArguments& arguments,
                               const WarpProduct<T, Shape>& product, float* shared, int first_pixel,
                               int first_channel) {
  namespace cg = cooperative_groups;
  const cg::cluster_group cluster = cg::this_cluster();
  const int splits = static_cast<int>(cluster.num_blocks());
#pragma unroll
  for (int i = 0; i < WarpProduct<T, Shape>::kStripCount; ++i) {
    product.store_strip(
        i, shared + (product.first_row() + i * 16) * Shape::kTilePitch + product.first_column(),
        Shape::kTilePitch);
  }
  cluster.sync();
  constexpr int kThreadsARow = Shape::kColumns / kVector;
  const int rows = Shape::kRows / splits;
  const int first = static_cast<int>(cluster.block_rank()) * rows;
  for (int index = static_cast<int>(threadIdx.x); index < rows * kThreadsARow;
       index += Shape::kBlockThreads) {
    const int row = first + index / kThreadsARow;
    const int column = index % kThreadsARow * kVector;
    float sum[kVector] = {};
    for (int block = 0; block < splits; ++block) {
      const float* other = cluster.map_shared_rank(shared, static_cast<unsigned>(block));
      float v[kVector];
      load_floats(other + row * Shape::kTilePitch + column, v);
#pragma unroll
      for (int i = 0; i < kVector; ++i) sum[i] += v[i];
    }
    finish_channels(arguments, first_pixel + row, first_channel + column, sum);
  }
  cluster.sync();  // nobody leaves while others read its tile
}

template <typename T, typename Shape>
__global__ void __launch_bounds__(Shape::kBlockThreads, Shape::kBlocksAtOnce)
    conv_kernel(const __grid_constant__ ConvKernelArguments arguments) {
  extern __shared__ __align__(128) unsigned char shared[];
  const auto ring = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  release_successor();
  const int first_word = static_cast<int>(blockIdx.z) * arguments.words_a_split;
  const int last_word = min(first_word + arguments.words_a_split, arguments.words);
  const int steps = (last_word - first_word + kStageWords - 1) / kStageWords;
  WordCopier<Shape> copier(arguments, first_word, last_word);
  wait_for_predecessors();
#pragma unroll
  for (int stage = 0; stage < Shape::kStages - 1; ++stage) {
    copier.copy_weights(ring + stage * Shape::kStage);
    copier.copy_input(ring + stage * Shape::kStage);
    copier.advance();
    commit_copies();
  }
  WarpProduct<T, Shape> product;
  int reading = 0;
  int writing = Shape::kStages - 1;
  for (int step = 0; step < steps; ++step) {
    wait_for_copies<Shape::kStages - 2>();
    __syncthreads();
    copier.copy_weights(ring + static_cast<unsigned>(writing * Shape::kStage));
    copier.copy_input(ring + static_cast<unsigned>(writing * Shape::kStage));
    copier.advance();
    commit_copies();
    product.multiply(ring + static_cast<unsigned>(reading * Shape::kStage));
    reading = reading + 1 == Shape::kStages ? 0 : reading + 1;
    writing = writing + 1 == Shape::kStages ? 0 : writing + 1;
  }
  wait_for_copies<0>();
  __syncthreads();
  const int first_pixel = static_cast<int>(blockIdx.x / arguments.column_tiles) * Shape::kRows;
  const int first_channel = static_cast<int>(blockIdx.x % arguments.column_tiles) * Shape::kColumns;
  auto* floats = reinterpret_cast<float*>(shared);
  if constexpr (Shape::kCanSplit) {
#if __CUDA_ARCH__ >= 900
    if (gridDim.z > 1) {
      finish_cluster<T, Shape>(arguments, product, floats, first_pixel, first_channel);
      return;
    }
#endif
  }
  finish_strips<T, Shape>(arguments, product, floats, first_pixel, first_channel);
}

template <typename T, typename Shape>
cudaError_t launch_tile(ConvKernelArguments arguments, int splits, cudaStream_t stream) {
  static const cudaError_t configured = cudaFuncSetAttribute(
      conv_kernel<T, Shape>, cudaFuncAttributeMaxDynamicSharedMemorySize, Shape::kShared);
  if (configured != cudaSuccess) return configured;
  if (splits > 1 && !Shape::kCanSplit) return cudaErrorInvalidConfiguration;
  const int channels = arguments.conv.output_size.channels;
  arguments.column_tiles =
      static_cast<unsigned>((channels + Shape::kColumns - 1) / Shape::kColumns);
  const int stages = (arguments.words + kStageWords - 1) / kStageWords;
  arguments.words_a_split = (stages + splits - 1) / splits * kStageWords;
  const auto row_tiles =
      static_cast<unsigned>((arguments.pixels + Shape::kRows - 1) / Shape::kRows);
  return launch(conv_kernel<T, Shape>,
                dim3(row_tiles * arguments.column_tiles, 1, static_cast<unsigned>(splits)),
                Shape::kBlockThreads, Shape::kShared, static_cast<unsigned>(splits), stream,
                arguments);
}

/// In the order of `conv_tiles`, without the splits.
template <typename T>
cudaError_t launch_shape(const ConvKernelArguments& arguments, const ConvTile& tile,
                         cudaStream_t stream) {
  const auto is = [&](int rows, int columns) {
    return tile.rows == rows && tile.columns == columns;
  };
  if (is(128, 256)) return launch_tile<T, Tile<128, 256, 64, 64, 4>>(arguments, 1, stream);
  if (is(256, 64)) return launch_tile<T, Tile<256, 64, 64, 32, 4>>(arguments, 1, stream);
  if (is(128, 128)) return launch_tile<T, Tile<128, 128, 64, 32, 4>>(arguments, 1, stream);
  if (is(128, 64)) return launch_tile<T, Tile<128, 64, 32, 32, 4>>(arguments, 1, stream);
  if (is(128, 32)) return launch_tile<T, Tile<128, 32, 32, 16, 4>>(arguments, 1, stream);
  if (is(64, 64)) return launch_tile<T, Tile<64, 64, 32, 16, 4>>(arguments, tile.splits, stream);
  if (is(64, 32)) return launch_tile<T, Tile<64, 32, 16, 16, 6>>(arguments, tile.splits, stream);
  if (is(32, 32)) return launch_tile<T, Tile<32, 32, 16, 16, 6>>(arguments, tile.splits, stream);
  return cudaErrorInvalidValue;
}

}  // namespace chexnet_trt::cuda
