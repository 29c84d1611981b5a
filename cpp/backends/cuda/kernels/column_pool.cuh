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

/// The windows of a column, of Side x Side taps and Stride apart, from top to bottom.
template <typename T, bool IsMax, int Side, int Stride>
class WindowColumn {
  static_assert(Stride == Side || Stride == Side - 1);
  static constexpr bool kShares = Stride < Side;  ///< a row of taps with the window below

 public:
  __device__ WindowColumn(const ColumnPoolArguments& arguments, int image, int y, int x,
                          int channel)
      : pool_(arguments.pool.pool),
        levels_(arguments.pool.levels),
        top_(y * Stride - pool_.window.pad_y),
        reader_(pool_, image, top_, x * Stride - pool_.window.pad_x, channel) {}

  __device__ void read_first() {
    TapRow<T, Side> above;
    if constexpr (kShares) above = reader_.next();
    read_below(true);
    if constexpr (kShares) take(shared_, above);
  }

  /// Taps of the window at hand that lie inside the image.
  __device__ int count() const {
    return (min(top_ + Side, pool_.input_size.height) - max(top_, 0)) * reader_.columns();
  }

  /// The taps of the window at hand; the next one's are read, if there is one, but not waited for.
  __device__ Taps<T, IsMax> next(bool is_another) {
    Taps<T, IsMax> taps = shared_;
#pragma unroll
    for (int i = 0; i < Stride - 1; ++i) take(taps, below_[i]);
    if constexpr (kShares) {
      shared_ = {};
      take(shared_, below_[Stride - 1]);
      taps.take(shared_);
    } else {
      take(taps, below_[Stride - 1]);
    }
    top_ += Stride;
    read_below(is_another);
    return taps;
  }

 private:
  __device__ void read_below(bool is_wanted) {
#pragma unroll
    for (int i = 0; i < Stride; ++i) below_[i] = reader_.next(is_wanted);
  }
  __device__ void take(Taps<T, IsMax>& taps, const TapRow<T, Side>& row) const {
#pragma unroll
    for (int i = 0; i < Side; ++i) taps.take(levels_, row.taps[i]);
  }

  const PoolArguments& pool_;
  const StoredLevels& levels_;
  int top_;
  TapReader<T, IsMax, Side> reader_;
  Taps<T, IsMax> shared_;  ///< of the row that the window at hand shares with the one above
  TapRow<T, Side> below_[Stride];
};

/// As many of a multiprocessor as have registers for what is read ahead.
template <typename T>
constexpr int kColumnBlocks = sizeof(T) == 1   ? 6
                              : sizeof(T) == 2 ? 5
                                               : 4;

template <typename T, bool IsMax, int Side, int Stride>
__global__ void __launch_bounds__(kColumnThreads, kColumnBlocks<T>)
    column_pool_kernel(const __grid_constant__ ColumnPoolArguments arguments) {
  release_successor();
  const ImageSize& out = arguments.pool.pool.output_size;
  const Position at = position_of<kVector>(out.images * arguments.parts * out.width, out.channels);
  if (!at.is_inside) return wait_for_predecessors();
  const KeptAffines affines(arguments.pool.packed, out.channels, at.channel);
  const auto pixel = static_cast<unsigned>(at.pixel);
  const unsigned line = pixel / static_cast<unsigned>(out.width);
  const unsigned image = line / static_cast<unsigned>(arguments.parts);
  const auto x = static_cast<int>(pixel - line * out.width);
  const int first = static_cast<int>(line - image * arguments.parts) * arguments.rows;
  const int last = min(first + arguments.rows, out.height);
  WindowColumn<T, IsMax, Side, Stride> windows(arguments, static_cast<int>(image), first, x,
                                               at.channel);
  const int above = static_cast<int>(image) * out.height;
  wait_for_predecessors();
  windows.read_first();
  for (int y = first; y < last; ++y) {
    const int count = windows.count();
    const Taps<T, IsMax> taps = windows.next(y + 1 < last);
    finish_pixel<T>(arguments.pool, affines, (above + y) * out.width + x, at.channel, taps, count);
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
