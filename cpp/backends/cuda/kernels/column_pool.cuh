#pragma once

#include "backends/cuda/kernels/packed_pool.cuh"

// Pooling by windows that the compiler knows, where everything is packed. A thread computes kVector
// channels of some pixels of a column, from top to bottom: it reads a row of taps that two windows
// share once, and the taps of the next pixel while it finishes one.

namespace chexnet_trt::cuda {

constexpr int kColumnThreads = 128;  ///< of a block

struct ColumnPoolArguments {
  PackedPoolArguments pool;
  int rows = 1;   ///< of the result, a thread's
  int parts = 1;  ///< of `rows` rows, of a column of the result
};

template <typename T, int Side>
struct TapRow {
  Vector<T> taps[Side];
};

/// Reads the taps of the windows of one column, a row at a time, from `y` on.
template <typename T, bool IsMax, int Side>
class TapReader {
 public:
  __device__ TapReader(const PoolArguments& pool, int image, int y, int x, int channel)
      : height_(pool.input_size.height), y_(y), pitch_(static_cast<int>(pool.input.pitch)) {
    const int width = pool.input_size.width;
    const std::int64_t pixel = static_cast<std::int64_t>(image * height_ + y) * width + x;
    first_ = static_cast<const T*>(pool.input.data) + pixel * pitch_ + channel;
    row_ = width * pitch_;
#pragma unroll
    for (int i = 0; i < Side; ++i) {
      is_inside_[i] = static_cast<unsigned>(x + i) < static_cast<unsigned>(width);
    }
  }

  /// Taps outside the image, and all where none is wanted, change no result.
  __device__ TapRow<T, Side> next(bool is_wanted = true) {
    const bool is_there = is_wanted && static_cast<unsigned>(y_) < static_cast<unsigned>(height_);
    TapRow<T, Side> row;
#pragma unroll
    for (int i = 0; i < Side; ++i) {
      row.taps[i] = Taps<T, IsMax>::nothing();
      if (!is_there || !is_inside_[i]) continue;
      row.taps[i].run = *reinterpret_cast<const PackedRun<T, kVector>*>(first_ + i * pitch_);
    }
    ++y_;
    first_ += row_;
    return row;
  }

  /// Those inside the image.
  __device__ int columns() const {
    int count = 0;
#pragma unroll
    for (int i = 0; i < Side; ++i) count += is_inside_[i] ? 1 : 0;
    return count;
  }

 private:
  int height_;
  int y_;
  int pitch_;
  int row_;  ///< numbers
  const T* first_;
  bool is_inside_[Side];
};

/// Windows of Side x Side taps, Stride apart.
template <typename T, bool IsMax, int Side, int Stride>
__global__ void __launch_bounds__(kColumnThreads, sizeof(T) == 1   ? 6
                                                  : sizeof(T) == 2 ? 5
                                                                   : 4)
    column_pool_kernel(const __grid_constant__ ColumnPoolArguments arguments) {
  static_assert(Stride == Side || Stride == Side - 1);
  constexpr bool kShares = Stride < Side;
  release_successor();
  const PoolArguments& pool = arguments.pool.pool;
  const ImageSize& out = pool.output_size;
  const Position at = position_of<kVector>(out.images * arguments.parts * out.width, out.channels);
  if (!at.is_inside) return wait_for_predecessors();
  const KeptAffines affines(arguments.pool.packed, out.channels, at.channel);
  const unsigned line = static_cast<unsigned>(at.pixel) / static_cast<unsigned>(out.width);
  const int x = at.pixel - static_cast<int>(line) * out.width;
  const auto image = static_cast<int>(line / static_cast<unsigned>(arguments.parts));
  const int first = (static_cast<int>(line) - image * arguments.parts) * arguments.rows;
  const int last = min(first + arguments.rows, out.height);
  int top = first * Stride - pool.window.pad_y;
  TapReader<T, IsMax, Side> reader(pool, image, top, x * Stride - pool.window.pad_x, at.channel);
  const StoredLevels& levels = arguments.pool.levels;
  using Row = TapRow<T, Side>;
  const auto take = [&](Taps<T, IsMax>& taps, const Row& row) {
#pragma unroll
    for (int i = 0; i < Side; ++i) taps.take(levels, row.taps[i]);
  };
  wait_for_predecessors();
  Taps<T, IsMax> shared;
  Row rows[Stride];
  Row above;
  if constexpr (kShares) above = reader.next();
#pragma unroll
  for (int i = 0; i < Stride; ++i) rows[i] = reader.next();
  if constexpr (kShares) take(shared, above);
  for (int y = first; y < last; ++y) {
    Taps<T, IsMax> taps = shared;
#pragma unroll
    for (int i = 0; i < Stride - (kShares ? 1 : 0); ++i) take(taps, rows[i]);
    if constexpr (kShares) {
      shared = {};
      take(shared, rows[Stride - 1]);
      taps.take(shared);
    }
    const int lines = min(top + Side, pool.input_size.height) - max(top, 0);
    top += Stride;
#pragma unroll
    for (int i = 0; i < Stride; ++i) rows[i] = reader.next(y + 1 < last);
    finish_pixel<T>(arguments.pool, affines, (image * out.height + y) * out.width + x, at.channel,
                    taps, lines * reader.columns());
  }
}

/// Rows that a thread computes: few where threads would be too few for a GPU.
inline int column_rows(std::int64_t threads) {
  constexpr int kMostRows = 4;
  constexpr std::int64_t kManyThreads = 1 << 18;
  int rows = kMostRows;
  while (rows > 1 && threads / rows < kManyThreads) rows /= 2;
  return rows;
}

template <typename T, bool IsMax, int Side, int Stride>
cudaError_t launch_column_pool(const PackedPoolArguments& pool, cudaStream_t stream) {
  const ImageSize& out = pool.pool.output_size;
  const int rows = column_rows(groups_of(out, kVector));
  const int parts = (out.height + rows - 1) / rows;
  const ImageSize threads{out.images, parts, out.width, out.channels};
  const std::int64_t blocks = (groups_of(threads, kVector) + kColumnThreads - 1) / kColumnThreads;
  return launch(column_pool_kernel<T, IsMax, Side, Stride>, dim3(static_cast<unsigned>(blocks)),
                kColumnThreads, 0, 1, stream, ColumnPoolArguments{pool, rows, parts});
}

}  // namespace chexnet_trt::cuda
