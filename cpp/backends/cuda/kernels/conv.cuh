#pragma once

#include <cooperative_groups.h>

#include <type_traits>

#include "backends/cuda/kernels/conv_launch.hpp"
#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/launch.cuh"
#include "backends/cuda/kernels/packed.cuh"
#include "backends/cuda/kernels/tensor_core.cuh"
#include "backends/cuda/kernels/warpgroup.cuh"

// Convolution as an implicit matrix product: output pixels x output channels, summed over the words
// of 16 bytes of input channels of every tap. A block copies its words of input and weights into a
// ring of stages in shared memory with cp.async while its warps multiply earlier ones. Word w of row
// r lies at w ^ (r % 8), so that ldmatrix meets no bank twice and wgmma finds its 128-byte swizzle.

namespace chexnet_trt::cuda {

constexpr int kWordBytes = 16;
constexpr int kStageWords = 8;  ///< a row's in one stage
constexpr int kStageBytes = kStageWords * kWordBytes;
constexpr unsigned kRingAlignment = 1024;

enum class Unit { kWarp, kWarpgroup };  ///< what multiplies: mma.sync, or wgmma

/// `UnitRows` x `UnitColumns` is the part of the tile that one unit computes.
template <Unit Unit_, int Rows_, int Columns_, int UnitRows_, int UnitColumns_, int Stages_,
          int BlocksAtOnce_>
struct Tile {
  static constexpr Unit kUnit = Unit_;
  static constexpr int kRows = Rows_;
  static constexpr int kColumns = Columns_;
  static constexpr int kUnitRows = UnitRows_;
  static constexpr int kUnitColumns = UnitColumns_;
  static constexpr int kStages = Stages_;
  static constexpr int kBlocksAtOnce = BlocksAtOnce_;  ///< on a multiprocessor; bounds registers
  static constexpr int kUnitsDown = kRows / kUnitRows;
  static constexpr int kUnits = kUnitsDown * (kColumns / kUnitColumns);
  static constexpr int kWarps = kUnits * (kUnit == Unit::kWarp ? 1 : 4);
  static constexpr int kBlockThreads = kWarps * 32;
  static constexpr int kStage = (kRows + kColumns) * kStageBytes;
  /// Floats between the rows of a warp's strip of 16 rows in the epilogue: four rows of 8 floats
  /// meet no bank twice.
  static constexpr int kStripPitch = kUnitColumns + (kUnitColumns % 32 == 0 ? 8 : 24);
  static constexpr int kStrips = kWarps * 16 * kStripPitch * 4;
  /// Floats between the rows of a whole tile, when blocks share a sum.
  static constexpr int kTilePitch = kColumns + 8;
  static constexpr bool kCanSplit = kRows * kColumns <= 64 * 64;
  static constexpr int kWholeTile = kCanSplit ? kRows * kTilePitch * 4 : 0;
  static constexpr int kRing = kStages * kStage;
  static constexpr int kEpilogue = kStrips > kWholeTile ? kStrips : kWholeTile;
  static constexpr int kAffine = 4 * kColumns * 4;
  static constexpr int kShared =
      (kRing > kEpilogue ? kRing : kEpilogue) + kAffine + static_cast<int>(kRingAlignment);
};

__device__ inline unsigned word_address(unsigned base, int row, int word) {
  return base + static_cast<unsigned>(row * kStageBytes + ((word ^ (row & 7)) * kWordBytes));
}

/// Copies one word of every row of a tile side for each stage, walking over the taps. A thread
/// handles word `threadIdx.x % 8` of the rows `threadIdx.x / 8 + i * threads / 8`.
template <typename Shape>
class WordCopier {
  static constexpr int kStep = Shape::kBlockThreads / kStageWords;
  static constexpr int kInputRows = (Shape::kRows + kStep - 1) / kStep;
  static constexpr int kWeightRows = (Shape::kColumns + kStep - 1) / kStep;
  static_assert(Shape::kRows % kStep == 0 && Shape::kColumns % kStep == 0);

 public:
  __device__ WordCopier(const ConvKernelArguments& arguments, int first_word, int last_word)
      : arguments_(arguments),
        slot_(static_cast<int>(threadIdx.x) % kStageWords),
        row_(static_cast<int>(threadIdx.x) / kStageWords),
        last_word_(last_word) {
    const Window& window = arguments.conv.window;
    const ImageSize& in = arguments.conv.input_size;
    const ImageSize& out = arguments.conv.output_size;
    word_ = first_word + slot_;
    const int tap = word_ / arguments.words_a_tap;
    word_in_tap_ = word_ % arguments.words_a_tap;
    tap_y_ = tap / window.width;
    tap_x_ = tap % window.width;
#pragma unroll
    for (int i = 0; i < kInputRows; ++i) {
      const int pixel =
          static_cast<int>(blockIdx.x / arguments.column_tiles) * Shape::kRows + row_ + i * kStep;
      const int line = pixel / out.width;
      const int image = line / out.height;
      const int x = (pixel - line * out.width) * window.stride_x - window.pad_x;
      const int y = (line - image * out.height) * window.stride_y - window.pad_y;
      const bool is_inside = pixel < arguments.pixels;
      origin_[i] = is_inside ? (image * in.height + y) * in.width + x : 0;
      corner_[i] = make_short2(static_cast<short>(x), static_cast<short>(is_inside ? y : kOutside));
    }
    const int column =
        static_cast<int>(blockIdx.x % arguments.column_tiles) * Shape::kColumns + row_;
    columns_left_ = out.channels - column;
    weights_ = static_cast<const char*>(arguments.conv.weights) +
               (static_cast<std::int64_t>(column) * arguments.words + word_) * kWordBytes;
  }

  /// Weights do not depend on earlier kernels.
  __device__ void copy_weights(unsigned stage, int steps_ahead) const {
    const int ahead = steps_ahead * kStageWords;
    const bool is_left = word_ + ahead < last_word_;
    const std::int64_t row_bytes = static_cast<std::int64_t>(arguments_.words) * kWordBytes;
#pragma unroll
    for (int i = 0; i < kWeightRows; ++i) {
      const bool is_there = is_left && i * kStep < columns_left_;
      const char* from = is_there ? weights_ + i * kStep * row_bytes + ahead * kWordBytes
                                  : static_cast<const char*>(arguments_.conv.weights);
      copy_word_async(word_address(stage + Shape::kRows * kStageBytes, row_ + i * kStep, slot_),
                      from, is_there ? kWordBytes : 0);
    }
  }

  __device__ void copy_input(unsigned stage) const {
    const ImageSize& in = arguments_.conv.input_size;
    const auto* input = static_cast<const char*>(arguments_.conv.input.data);
    const int dy = tap_y_ * arguments_.conv.window.dilation_y;
    const int dx = tap_x_ * arguments_.conv.window.dilation_x;
    const int tap_offset = dy * in.width + dx;
    const int byte_in_pixel = word_in_tap_ * kWordBytes;
    const int bytes =
        word_ < last_word_ ? min(kWordBytes, arguments_.pixel_bytes - byte_in_pixel) : 0;
#pragma unroll
    for (int i = 0; i < kInputRows; ++i) {
      const bool is_there =
          static_cast<unsigned>(corner_[i].y + dy) < static_cast<unsigned>(in.height) &&
          static_cast<unsigned>(corner_[i].x + dx) < static_cast<unsigned>(in.width);
      const int pixel = is_there ? origin_[i] + tap_offset : 0;
      const char* from =
          input + static_cast<std::int64_t>(pixel) * arguments_.pitch_bytes + byte_in_pixel;
      copy_word_async(word_address(stage, row_ + i * kStep, slot_), is_there ? from : input,
                      is_there ? bytes : 0);
    }
  }

  __device__ void advance() {
    word_ += kStageWords;
    weights_ += kStageWords * kWordBytes;
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
  static constexpr int kOutside = -32768;

  const ConvKernelArguments& arguments_;
  int slot_;
  int row_;
  int word_;
  int last_word_;
  int word_in_tap_;
  int tap_y_;
  int tap_x_;
  int columns_left_;
  const char* weights_;
  int origin_[kInputRows];     ///< the input pixel under the first tap, maybe outside the image
  short2 corner_[kInputRows];  ///< its column and row in the image
};

/// What a warp holds of a tile: strips of 16 rows by columns of 8. A thread has rows lane / 4 and
/// lane / 4 + 8, columns 2 * (lane % 4) and the next.
template <typename Accumulator, int Columns>
__device__ inline void store_strip_of(const Accumulator (&sums)[Columns][4], float* to, int pitch) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  float* first = to + lane / 4 * pitch + lane % 4 * 2;
#pragma unroll
  for (int j = 0; j < Columns; ++j) {
    *reinterpret_cast<float2*>(first + j * 8) =
        make_float2(static_cast<float>(sums[j][0]), static_cast<float>(sums[j][1]));
    *reinterpret_cast<float2*>(first + j * 8 + 8 * pitch) =
        make_float2(static_cast<float>(sums[j][2]), static_cast<float>(sums[j][3]));
  }
}

template <typename T, typename Shape, Unit = Shape::kUnit>
class Product;

/// The sums of a warp, with mma.sync (float: with the float units).
template <typename T, typename Shape>
class Product<T, Shape, Unit::kWarp> {
 public:
  static constexpr int kStripCount = Shape::kUnitRows / 16;
  static constexpr int kColumnCount = Shape::kUnitColumns / 8;
  using Accumulator = typename TensorCore<T>::Accumulator;

  __device__ static int row_of(int strip) {
    return static_cast<int>(threadIdx.x) / 32 % Shape::kUnitsDown * Shape::kUnitRows + strip * 16;
  }
  __device__ static int first_column() {
    return static_cast<int>(threadIdx.x) / 32 / Shape::kUnitsDown * Shape::kUnitColumns;
  }

  __device__ void begin(unsigned stage) {
    if constexpr (sizeof(T) == sizeof(float)) {
      multiply_floats(stage);
    } else {
      multiply_matrices(stage);
    }
  }
  __device__ void end() {}

  __device__ void store_strip(int strip, float* to, int pitch) const {
    store_strip_of(sums_[strip], to, pitch);
  }

 private:
  __device__ void multiply_matrices(unsigned stage) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const unsigned weights = stage + Shape::kRows * kStageBytes;
#pragma unroll
    for (int step = 0; step < kStageWords / 2; ++step) {
      unsigned a[kStripCount][4];
      unsigned b[(kColumnCount + 1) / 2][4];
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
        load_matrices(a[i], word_address(stage, row_of(i) + lane % 16, step * 2 + lane / 16));
      }
#pragma unroll
      for (int j = 0; j < kColumnCount / 2; ++j) {
        load_matrices(b[j],
                      word_address(weights, first_column() + j * 16 + lane % 8 + lane / 16 * 8,
                                   step * 2 + lane / 8 % 2));
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
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const unsigned weights = stage + Shape::kRows * kStageBytes;
    for (int k = 0; k < kStageWords * 4; ++k) {
      float a[kStripCount][2];
      float b[kColumnCount][2];
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
        a[i][0] = float_at(stage, row_of(i) + lane / 4, k);
        a[i][1] = float_at(stage, row_of(i) + lane / 4 + 8, k);
      }
#pragma unroll
      for (int j = 0; j < kColumnCount; ++j) {
        b[j][0] = float_at(weights, first_column() + j * 8 + lane % 4 * 2, k);
        b[j][1] = float_at(weights, first_column() + j * 8 + lane % 4 * 2 + 1, k);
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

  Accumulator sums_[kStripCount][kColumnCount][4] = {};
};

/// The sums of a warpgroup, with wgmma: warp w has rows 16 * w on of every 64.
template <typename T, typename Shape>
class Product<T, Shape, Unit::kWarpgroup> {
 public:
  static constexpr int kStripCount = Shape::kUnitRows / 64;
  static constexpr int kColumnCount = Shape::kUnitColumns / 8;
  using Accumulator = typename TensorCore<T>::Accumulator;
  static_assert(Shape::kUnitColumns == Shape::kColumns);

  __device__ static int row_of(int strip) {
    const int group = static_cast<int>(threadIdx.x) / 128;
    return group * Shape::kUnitRows + strip * 64 + static_cast<int>(threadIdx.x) / 32 % 4 * 16;
  }
  __device__ static int first_column() { return 0; }

  __device__ void begin(unsigned stage) {
#if defined(CHEXNET_TRT_HAS_WGMMA)
    const int group = __shfl_sync(~0U, static_cast<int>(threadIdx.x) / 128, 0);
    const unsigned rows = stage + static_cast<unsigned>(group * Shape::kUnitRows * kStageBytes);
    const unsigned columns = stage + Shape::kRows * kStageBytes;
    begin_warpgroup();
#pragma unroll
    for (int step = 0; step < kStageWords / 2; ++step) {
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
        WarpgroupCore<T, Shape::kColumns>::multiply(
            sums_[i],
            matrix_descriptor(rows + static_cast<unsigned>(i * 64 * kStageBytes + step * 32)),
            matrix_descriptor(columns + static_cast<unsigned>(step * 32)));
      }
    }
    commit_warpgroup();
#endif
  }
  __device__ void end() { wait_for_warpgroup(); }

  __device__ void store_strip(int strip, float* to, int pitch) const {
    store_strip_of(sums_[strip], to, pitch);
  }

 private:
  Accumulator sums_[kStripCount][kColumnCount][4] = {};
};

/// Every other four threads begin with the second half, or they would meet in the same banks.
__device__ inline void load_floats(const float* from, float (&v)[kVector]) {
  const int half = static_cast<int>(threadIdx.x) & 4;
  const float4 one = *reinterpret_cast<const float4*>(from + half);
  const float4 other = *reinterpret_cast<const float4*>(from + (half ^ 4));
  const float4 low = half == 0 ? one : other;
  const float4 high = half == 0 ? other : one;
  v[0] = low.x, v[1] = low.y, v[2] = low.z, v[3] = low.w;
  v[4] = high.x, v[5] = high.y, v[6] = high.z, v[7] = high.w;
}

/// The epilogue of a tile whose values are all stored as T is (kVector channels at once), or, slower,
/// of any: `IsUniform`.
template <typename T, typename Shape, bool IsUniform>
class TileEpilogue {
 public:
  using Raw = typename Packed<T>::Raw;

  /// `affine`: shared memory for 4 * kColumns floats.
  __device__ TileEpilogue(const ConvKernelArguments& arguments, float* affine)
      : arguments_(arguments),
        affine_(affine),
        first_pixel_(static_cast<int>(blockIdx.x / arguments.column_tiles) * Shape::kRows),
        first_channel_(static_cast<int>(blockIdx.x % arguments.column_tiles) * Shape::kColumns) {}

  /// Scales and shifts are in shared memory after the next barrier.
  __device__ void fetch_affine() const {
    if constexpr (!IsUniform) return;
    const DeviceEpilogue& epilogue = arguments_.conv.epilogue;
    const LevelFactors factors(epilogue);
    for (int column = static_cast<int>(threadIdx.x); column < Shape::kColumns;
         column += Shape::kBlockThreads) {
      const int channel = first_channel_ + column;
      const bool is_there = channel < arguments_.conv.output_size.channels;
      const auto read = [&](const float* from, float missing) {
        return from != nullptr && is_there ? from[channel] : missing;
      };
      affine_[column] = read(epilogue.mul, 1.0F) * factors.first;
      affine_[Shape::kColumns + column] = read(epilogue.add, 0.0F) * factors.first;
      affine_[2 * Shape::kColumns + column] = read(epilogue.second_mul, 1.0F) * factors.second_mul;
      affine_[3 * Shape::kColumns + column] = read(epilogue.second_add, 0.0F) * factors.second_add;
    }
  }

  __device__ Raw residual(int row, int column) const {
    const DeviceValue& value = arguments_.conv.epilogue.residual;
    if (!IsUniform || value.data == nullptr || !is_whole(row, column)) return {};
    return read_packed<T>(value, static_cast<std::int64_t>(first_pixel_ + row) * value.pitch +
                                     first_channel_ + column);
  }

  /// Scales and shifts of the 8 channels from a column of the tile on.
  struct Affines {
    AffineVector one;
    AffineVector two;
    __device__ const AffineVector& first() const { return one; }
    __device__ const AffineVector& second() const { return two; }
  };
  __device__ Affines affines_of(int column) const {
    Affines result{};
    if constexpr (!IsUniform) return result;
    load_floats(affine_ + column, result.one.mul);
    load_floats(affine_ + Shape::kColumns + column, result.one.add);
    load_floats(affine_ + 2 * Shape::kColumns + column, result.two.mul);
    load_floats(affine_ + 3 * Shape::kColumns + column, result.two.add);
    return result;
  }

  /// `v`: the sums of the 8 channels from `column` of the tile on, at pixel `row` of the tile.
  __device__ void finish(int row, int column, Raw residual, const Affines& affines,
                         float (&v)[kVector]) const {
    if constexpr (IsUniform) {
      if (!is_whole(row, column)) return;
      run_packed_epilogue<T>(arguments_.conv.epilogue, first_pixel_ + row, first_channel_ + column,
                             residual, affines, v);
    } else {
      finish_any(row, column, v);
    }
  }

 private:
  __device__ bool is_whole(int row, int column) const {
    return first_pixel_ + row < arguments_.pixels &&
           first_channel_ + column < arguments_.conv.output_size.channels;
  }
  __device__ void finish_any(int row, int column, float (&v)[kVector]) const {
    if (!is_whole(row, column)) return;
    float copy[kVector];
#pragma unroll
    for (int i = 0; i < kVector; ++i) copy[i] = v[i];
    run_epilogue_tail(arguments_.conv.epilogue, first_pixel_ + row, first_channel_ + column,
                      arguments_.conv.output_size.channels, copy);
  }

  const ConvKernelArguments& arguments_;
  float* affine_;
  int first_pixel_;
  int first_channel_;
};

/// How a warp's threads share a strip: each takes kVector channels of every kRowsAtOnce-th row.
template <typename Shape>
struct StripTurns {
  static constexpr int kThreadsARow = Shape::kUnitColumns / kVector;
  static constexpr int kRowsAtOnce = 32 / kThreadsARow;
  static constexpr int kTurns = 16 / kRowsAtOnce;
  static constexpr int kAhead = kTurns < 4 ? kTurns : 4;

  __device__ static int row() { return static_cast<int>(threadIdx.x) % 32 / kThreadsARow; }
  __device__ static int column() { return static_cast<int>(threadIdx.x) % kThreadsARow * kVector; }
};

/// What a thread adds to its part of a strip, some turns ahead of its use.
template <typename T, typename Shape, bool IsUniform>
class ResidualQueue {
  using Turns = StripTurns<Shape>;
  using Layout = Product<T, Shape>;

 public:
  __device__ explicit ResidualQueue(const TileEpilogue<T, Shape, IsUniform>& epilogue)
      : epilogue_(epilogue) {}

  __device__ void begin(int strip) {
#pragma unroll
    for (int turn = 0; turn < Turns::kAhead; ++turn) waiting_[turn] = read(strip, turn);
  }
  __device__ typename Packed<T>::Raw take(int strip, int turn) {
    const auto result = waiting_[turn % Turns::kAhead];
    if (turn + Turns::kAhead < Turns::kTurns) {
      waiting_[turn % Turns::kAhead] = read(strip, turn + Turns::kAhead);
    }
    return result;
  }

 private:
  __device__ typename Packed<T>::Raw read(int strip, int turn) const {
    return epilogue_.residual(Layout::row_of(strip) + Turns::row() + turn * Turns::kRowsAtOnce,
                              Layout::first_column() + Turns::column());
  }

  const TileEpilogue<T, Shape, IsUniform>& epilogue_;
  typename Packed<T>::Raw waiting_[Turns::kAhead];
};

/// Each warp turns its strips around in shared memory, so that its threads store whole sectors.
template <typename T, typename Shape, bool IsUniform>
__device__ void finish_strips(const TileEpilogue<T, Shape, IsUniform>& epilogue,
                              const Product<T, Shape>& product,
                              ResidualQueue<T, Shape, IsUniform>& residuals, float* shared) {
  using Turns = StripTurns<Shape>;
  float* strip = shared + static_cast<int>(threadIdx.x) / 32 * 16 * Shape::kStripPitch;
  const int column = Turns::column();
  const auto affines = epilogue.affines_of(product.first_column() + column);
  // Unrolled, or the sums would lie in local memory.
#pragma unroll
  for (int i = 0; i < Product<T, Shape>::kStripCount; ++i) {
    if (i > 0) residuals.begin(i);
    product.store_strip(i, strip, Shape::kStripPitch);
    __syncwarp();
#pragma unroll
    for (int turn = 0; turn < Turns::kTurns; ++turn) {
      const int row = Turns::row() + turn * Turns::kRowsAtOnce;
      const auto residual = residuals.take(i, turn);
      float v[kVector];
      load_floats(strip + row * Shape::kStripPitch + column, v);
      epilogue.finish(product.row_of(i) + row, product.first_column() + column, residual, affines,
                      v);
    }
    __syncwarp();
  }
}

/// The blocks of a cluster each add up a part of the rows of all their tiles.
template <typename T, typename Shape, bool IsUniform>
__device__ void finish_cluster(const TileEpilogue<T, Shape, IsUniform>& epilogue,
                               const Product<T, Shape>& product, float* shared) {
  namespace cg = cooperative_groups;
  const cg::cluster_group cluster = cg::this_cluster();
  const int splits = static_cast<int>(cluster.num_blocks());
#pragma unroll
  for (int i = 0; i < Product<T, Shape>::kStripCount; ++i) {
    product.store_strip(i, shared + product.row_of(i) * Shape::kTilePitch + product.first_column(),
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
    const auto residual = epilogue.residual(row, column);
    float sum[kVector] = {};
    for (int block = 0; block < splits; ++block) {
      const float* other = cluster.map_shared_rank(shared, static_cast<unsigned>(block));
      float v[kVector];
      load_floats(other + row * Shape::kTilePitch + column, v);
#pragma unroll
      for (int i = 0; i < kVector; ++i) sum[i] += v[i];
    }
    epilogue.finish(row, column, residual, epilogue.affines_of(column), sum);
  }
  cluster.sync();  // nobody leaves while others read its tile
}

template <typename T, typename Shape, bool IsUniform>
__global__ void __launch_bounds__(Shape::kBlockThreads, Shape::kBlocksAtOnce)
    conv_kernel(const __grid_constant__ ConvKernelArguments arguments) {
  extern __shared__ unsigned char dynamic_shared[];
  const auto unaligned = static_cast<unsigned>(__cvta_generic_to_shared(dynamic_shared));
  const unsigned ring = (unaligned + kRingAlignment - 1) / kRingAlignment * kRingAlignment;
  unsigned char* shared = dynamic_shared + (ring - unaligned);
  constexpr int kBody = Shape::kShared - Shape::kAffine - static_cast<int>(kRingAlignment);
  release_successor();
  const int first_word = static_cast<int>(blockIdx.z) * arguments.words_a_split;
  const int last_word = min(first_word + arguments.words_a_split, arguments.words);
  const int steps = (last_word - first_word + kStageWords - 1) / kStageWords;
  WordCopier<Shape> copier(arguments, first_word, last_word);
#pragma unroll
  for (int stage = 0; stage < Shape::kStages - 1; ++stage) {
    if (stage < steps) copier.copy_weights(ring + stage * Shape::kStage, stage);
  }
  const TileEpilogue<T, Shape, IsUniform> epilogue(arguments,
                                                   reinterpret_cast<float*>(shared + kBody));
  wait_for_predecessors();
#pragma unroll
  for (int stage = 0; stage < Shape::kStages - 1; ++stage) {
    if (stage < steps) copier.copy_input(ring + stage * Shape::kStage);
    copier.advance();
    commit_copies();
  }
  epilogue.fetch_affine();
  ResidualQueue<T, Shape, IsUniform> residuals(epilogue);
  if (gridDim.z == 1) residuals.begin(0);
  Product<T, Shape> product;
  int reading = 0;
  int writing = Shape::kStages - 1;
  for (int step = 0; step < steps; ++step) {
    wait_for_copies<Shape::kStages - 2>();
    if constexpr (Shape::kUnit == Unit::kWarpgroup) publish_copies();
    __syncthreads();
    product.begin(ring + static_cast<unsigned>(reading * Shape::kStage));
    if (step + Shape::kStages - 1 < steps) {
      copier.copy_weights(ring + static_cast<unsigned>(writing * Shape::kStage), 0);
      copier.copy_input(ring + static_cast<unsigned>(writing * Shape::kStage));
      copier.advance();
    }
    commit_copies();
    product.end();
    reading = reading + 1 == Shape::kStages ? 0 : reading + 1;
    writing = writing + 1 == Shape::kStages ? 0 : writing + 1;
  }
  wait_for_copies<0>();
  __syncthreads();
  auto* floats = reinterpret_cast<float*>(shared);
  if constexpr (Shape::kCanSplit) {
#if __CUDA_ARCH__ >= 900
    if (gridDim.z > 1) return finish_cluster<T, Shape, IsUniform>(epilogue, product, floats);
#endif
  }
  finish_strips<T, Shape, IsUniform>(epilogue, product, residuals, floats);
}

template <typename T, typename Shape, bool IsUniform>
cudaError_t launch_kernel(const ConvKernelArguments& arguments, dim3 grid, cudaStream_t stream) {
  static const cudaError_t configured =
      cudaFuncSetAttribute(conv_kernel<T, Shape, IsUniform>,
                           cudaFuncAttributeMaxDynamicSharedMemorySize, Shape::kShared);
  if (configured != cudaSuccess) return configured;
  return launch(conv_kernel<T, Shape, IsUniform>, grid, Shape::kBlockThreads, Shape::kShared,
                grid.z, stream, arguments);
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
  return is_packed<T>(arguments.conv.epilogue, channels)
             ? launch_kernel<T, Shape, true>(arguments, grid, stream)
             : launch_kernel<T, Shape, false>(arguments, grid, stream);
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
cudaError_t launch_shape(const ConvKernelArguments& arguments, const ConvTile& tile,
                         cudaStream_t stream) {
  return tile.is_warpgroup ? launch_warpgroup_tile<T>(arguments, tile, stream)
                           : launch_warp_tile<T>(arguments, tile, stream);
}

}  // namespace chexnet_trt::cuda
