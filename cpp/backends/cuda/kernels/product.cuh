#pragma once

#include "backends/cuda/kernels/tensor_core.cuh"
#include "backends/cuda/kernels/tile.cuh"
#include "backends/cuda/kernels/warpgroup.cuh"

// The sums that a thread holds of a tile, as `Runs` deals them.

namespace chexnet_trt::cuda {

template <typename T, typename Shape, Unit = Shape::kUnit>
class Product;

/// Four channels of a run, at `part` * 4 of it.
template <typename T, typename Shape, typename Sums>
__device__ inline void four_of(const Sums& sums, int strip, int chunk, int half, int part,
                               float (&v)[4]) {
  const int group = chunk * Runs<T, Shape>::kGroups + part * 2;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    v[i] = static_cast<float>(sums[strip][group + i / 2][half * 2 + i % 2]);
  }
}

/// With mma.sync (float: with the float units).
template <typename T, typename Shape>
class Product<T, Shape, Unit::kWarp> {
 public:
  static constexpr int kStripCount = Shape::kUnitRows / 16;
  static constexpr int kGroupCount = Shape::kUnitColumns / 8;
  using Accumulator = typename TensorCore<T>::Accumulator;

  /// Adds one step, whose rows and columns lie at these addresses.
  __device__ void begin(unsigned rows, unsigned columns) {
    if constexpr (sizeof(T) == sizeof(float)) {
      multiply_floats(rows, columns);
    } else {
      multiply_matrices(rows, columns);
    }
  }
  template <int Pending>
  __device__ void wait() {}

  __device__ void four(int strip, int chunk, int half, int part, float (&v)[4]) const {
    four_of<T, Shape>(sums_, strip, chunk, half, part, v);
  }

 private:
  __device__ static int first_row() {
    return static_cast<int>(threadIdx.x / 32 % Shape::kUnitsDown * Shape::kUnitRows);
  }
  __device__ static int first_column() {
    return static_cast<int>(threadIdx.x / 32 / Shape::kUnitsDown * Shape::kUnitColumns);
  }

  __device__ void multiply_matrices(unsigned rows, unsigned columns) {
    const int lane = static_cast<int>(threadIdx.x % 32);
#pragma unroll
    for (int step = 0; step < kStageWords / 2; ++step) {
      unsigned a[kStripCount][4];
      unsigned b[(kGroupCount + 1) / 2][4];
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
        load_matrices(a[i],
                      word_address(rows, first_row() + i * 16 + lane % 16, step * 2 + lane / 16));
      }
#pragma unroll
      for (int j = 0; j < kGroupCount / 2; ++j) {
        load_matrices(b[j],
                      word_address(columns, first_column() + j * 16 + lane % 8 + lane / 16 * 8,
                                   step * 2 + lane / 8 % 2));
      }
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
#pragma unroll
        for (int j = 0; j < kGroupCount; ++j) {
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

  __device__ void multiply_floats(unsigned rows, unsigned columns) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    for (int k = 0; k < kStageWords * 4; ++k) {
      float a[kStripCount][2];
      float b[kGroupCount][2];
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
        a[i][0] = float_at(rows, first_row() + i * 16 + lane / 4, k);
        a[i][1] = float_at(rows, first_row() + i * 16 + lane / 4 + 8, k);
      }
#pragma unroll
      for (int j = 0; j < kGroupCount; ++j) {
        b[j][0] = float_at(columns, first_column() + j * 8 + lane % 4 * 2, k);
        b[j][1] = float_at(columns, first_column() + j * 8 + lane % 4 * 2 + 1, k);
      }
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
#pragma unroll
        for (int j = 0; j < kGroupCount; ++j) {
          sums_[i][j][0] += a[i][0] * b[j][0];
          sums_[i][j][1] += a[i][0] * b[j][1];
          sums_[i][j][2] += a[i][1] * b[j][0];
          sums_[i][j][3] += a[i][1] * b[j][1];
        }
      }
    }
  }

  Accumulator sums_[kStripCount][kGroupCount][4] = {};
};

/// With wgmma: warp w of the warpgroup has rows 16 * w on of every 64.
template <typename T, typename Shape>
class Product<T, Shape, Unit::kWarpgroup> {
 public:
  static constexpr int kStripCount = Shape::kUnitRows / 64;
  static constexpr int kGroupCount = Shape::kUnitColumns / 8;
  using Accumulator = typename TensorCore<T>::Accumulator;
  static_assert(Shape::kUnitColumns == Shape::kColumns);

  __device__ void begin(unsigned rows, unsigned columns) {
#if defined(CHEXNET_TRT_HAS_WGMMA)
    const int group = __shfl_sync(~0U, static_cast<int>(threadIdx.x / 128), 0);
    const unsigned own_rows = rows + static_cast<unsigned>(group * Shape::kUnitRows * kStageBytes);
    hold();
    begin_warpgroup();
#pragma unroll
    for (int step = 0; step < kStageWords / 2; ++step) {
#pragma unroll
      for (int i = 0; i < kStripCount; ++i) {
        WarpgroupCore<T, Shape::kColumns>::multiply(
            sums_[i],
            matrix_descriptor(own_rows + static_cast<unsigned>(i * 64 * kStageBytes + step * 32)),
            matrix_descriptor(columns + static_cast<unsigned>(step * 32)), true);
      }
    }
    commit_warpgroup();
#endif
  }
  /// Adds two words of every row and column, which lie in planes: `pair` bytes from the first word to
  /// the second. `rows`: of this warpgroup. Between begin_warpgroup and commit_warpgroup.
  __device__ void add(unsigned rows, int row_pair, unsigned columns, int column_pair) {
#if defined(CHEXNET_TRT_HAS_WGMMA)
    const std::uint64_t column_matrix = plane_descriptor(columns, column_pair);
#pragma unroll
    for (int i = 0; i < kStripCount; ++i) {
      const unsigned strip = rows + static_cast<unsigned>(i * 64 * kWordBytes);
      WarpgroupCore<T, Shape::kColumns>::multiply(sums_[i], plane_descriptor(strip, row_pair),
                                                  column_matrix, true);
    }
#endif
  }
  /// Adds 32 bytes of every row of the only strip and of every column, or begins anew with them.
  /// `rows`: a descriptor, or the fragment of this thread. Between begin_warpgroup and
  /// commit_warpgroup.
  template <typename Rows>
  __device__ void add(const Rows& rows, std::uint64_t columns, bool adds) {
#if defined(CHEXNET_TRT_HAS_WGMMA)
    static_assert(kStripCount == 1);
    WarpgroupCore<T, Shape::kColumns>::multiply(sums_[0], rows, columns, adds);
#endif
  }
  /// For all steps but the last `Pending`.
  template <int Pending>
  __device__ void wait() {
    wait_for_warpgroup<Pending>();
    if constexpr (Pending == 0) hold();
  }
  /// The compiler moves nothing that reads or writes the sums across this.
  __device__ void hold() {
#pragma unroll
    for (int i = 0; i < kStripCount; ++i) {
#pragma unroll
      for (int j = 0; j < kGroupCount; ++j) {
#pragma unroll
        for (int k = 0; k < 4; ++k) hold_register(sums_[i][j][k]);
      }
    }
  }

  __device__ void four(int strip, int chunk, int half, int part, float (&v)[4]) const {
    four_of<T, Shape>(sums_, strip, chunk, half, part, v);
  }

 private:
  Accumulator sums_[kStripCount][kGroupCount][4] = {};
};

}  // namespace chexnet_trt::cuda
