#pragma once

#include <cooperative_groups.h>

#include "backends/cuda/kernels/packed.cuh"
#include "backends/cuda/kernels/product.cuh"

// What becomes of the sums of a tile: straight from registers to the result.

namespace chexnet_trt::cuda {

/// Scales and shifts of a tile's channels in shared memory. Every 16 channels are followed by a gap of
/// 4, so that the runs of four neighbours lie in different banks.
template <typename Shape>
class AffineShelf {
  static constexpr int kLength = Shape::kColumns + Shape::kColumns / 4;

 public:
  __device__ explicit AffineShelf(float* shared) : shared_(shared) {}

  /// Begins to copy them; they do not depend on earlier kernels. The channels that there are come in
  /// fours.
  __device__ void copy(const float* units, int first_channel, int channels) const {
    constexpr unsigned kFours = Shape::kColumns / 4;
    constexpr unsigned kTurns = (4 * kFours + Shape::kBlockThreads - 1) / Shape::kBlockThreads;
    const auto shared = static_cast<unsigned>(__cvta_generic_to_shared(shared_));
#pragma unroll
    for (unsigned turn = 0; turn < kTurns; ++turn) {
      const unsigned word = threadIdx.x + turn * Shape::kBlockThreads;
      const unsigned row = word / kFours;
      const unsigned column = word % kFours * 4;
      const int channel = first_channel + static_cast<int>(column);
      if (row >= 4 || channel >= channels) continue;
      copy_word_async(shared + (row * kLength + place(column)) * 4,
                      units + static_cast<int>(row) * units_pitch(channels) + channel, true);
    }
  }

  /// `part` * 4 channels into the run at `column`.
  __device__ AffineFour four(int column, int part) const {
    return affine_four(shared_, kLength,
                       static_cast<int>(place(static_cast<unsigned>(column))) + part * 4);
  }

 private:
  __device__ static unsigned place(unsigned column) { return column + column / 16 * 4; }

  float* shared_;
};

/// Rows that are consecutive pixels.
struct TilePixels {
  int first;
  int pixels;
  __device__ int operator()(int row) const { return first + row < pixels ? first + row : -1; }
};

/// The epilogue of a tile whose values are all stored as T, or, slower, as anything: `IsPacked`.
/// `Pixels` tells which pixel of the result a row of the tile is; -1: none.
template <typename T, typename Shape, bool IsPacked, typename Pixels = TilePixels>
class TileEpilogue {
  using Deal = Runs<T, Shape>;
  using Run = RunOf<T, Deal::kRun>;
  static constexpr int kRows = 2 * Deal::kStrips;  ///< of a thread
  /// Chunks whose residuals are read ahead, as far as registers go.
  static constexpr int kAhead = kRows <= 2 && Deal::kChunks > 1 ? 2 : 1;

 public:
  __device__ TileEpilogue(const PackedEpilogue& packed, const Pixels& pixels,
                          const AffineShelf<Shape>& shelf, int first_channel, int channels)
      : packed_(packed),
        pixels_(pixels),
        shelf_(shelf),
        first_channel_(first_channel),
        channels_(channels) {}

  /// Reads what `finish` needs first.
  __device__ void begin() {
    if constexpr (IsPacked) {
#pragma unroll
      for (int chunk = 0; chunk < kAhead; ++chunk) read_residuals(chunk);
    }
  }

  __device__ void finish(const Product<T, Shape>& product) {
    if constexpr (IsPacked) {
      with_form<T>(packed_, [&](auto form) {
      // Unrolled, or the sums would lie in local memory.
#pragma unroll
        for (int chunk = 0; chunk < Deal::kChunks; ++chunk) {
          finish_chunk<decltype(form)>(product, chunk);
        }
      });
    } else {
#pragma unroll
      for (int chunk = 0; chunk < Deal::kChunks; ++chunk) finish_any(product, chunk);
    }
  }

  /// The blocks of a cluster add up a part of their tiles each. `shared`: Shape::kWholeTile bytes.
  __device__ void finish_shared(const Product<T, Shape>& product, float4* shared) const {
    namespace cg = cooperative_groups;
    const cg::cluster_group cluster = cg::this_cluster();
    put_sums(product, shared);
    cluster.sync();
    constexpr int kItems = Shape::kRows * Shape::kColumns / 4;
    const int splits = static_cast<int>(cluster.num_blocks());
    const int share = kItems / splits;
    for (int item = static_cast<int>(threadIdx.x); item < share; item += Shape::kBlockThreads) {
      const int index = static_cast<int>(cluster.block_rank()) * share + item;
      float sum[4] = {};
      for (int block = 0; block < splits; ++block) {
        const float4 v = cluster.map_shared_rank(shared, static_cast<unsigned>(block))[index];
        sum[0] += v.x, sum[1] += v.y, sum[2] += v.z, sum[3] += v.w;
      }
      finish_item(index, sum);
    }
    cluster.sync();  // nobody leaves while others read its sums
  }

 private:
  __device__ static std::int64_t place(const DeviceValue& value, int pixel, int channel) {
    return static_cast<std::int64_t>(pixel) * value.pitch + channel;
  }
  __device__ int pixel_of(unsigned thread, int row) const {
    return pixels_(Deal::row_of(thread, row / 2, row % 2));
  }

  __device__ void read_residuals(int chunk) {
    const DeviceValue& residual = packed_.epilogue.residual;
    if (residual.data == nullptr) return;
    const unsigned thread = threadIdx.x;
    const int channel = first_channel_ + Deal::channel_of(thread, chunk);
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
      const int pixel = pixel_of(thread, row);
      if (pixel < 0 || channel >= channels_) continue;
      residuals_[chunk % kAhead][row].run =
          read_packed<T, Deal::kRun>(residual, place(residual, pixel, channel));
    }
  }

  template <typename Form>
  __device__ void finish_chunk(const Product<T, Shape>& product, int chunk) {
    const unsigned thread = threadIdx.x;
    const int column = Deal::channel_of(thread, chunk);
    const DeviceValue& output = packed_.epilogue.output;
    const DeviceValue& second = packed_.epilogue.second;
    Run outputs[kRows];
    Run seconds[kRows];
#pragma unroll
    for (int part = 0; part < Deal::kParts; ++part) {
      const AffineFour affine = shelf_.four(column, part);
#pragma unroll
      for (int row = 0; row < kRows; ++row) {
        float v[4];
        product.four(row / 2, chunk, row % 2, part, v);
        const auto result = run_packed_epilogue<T, Form>(
            packed_, affine, residuals_[chunk % kAhead][row].part(part), v);
        outputs[row].set(part, result.first);
        seconds[row].set(part, result.second);
      }
    }
    if (chunk + kAhead < Deal::kChunks) read_residuals(chunk + kAhead);
    const int channel = first_channel_ + column;
    if (channel >= channels_) return;
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
      const int pixel = pixel_of(thread, row);
      if (pixel < 0) continue;
      if (output.data != nullptr) {
        write_packed(output, place(output, pixel, channel), outputs[row].run);
      }
      if (second.data != nullptr) {
        write_packed(second, place(second, pixel, channel), seconds[row].run);
      }
    }
  }

  __device__ void finish_any(const Product<T, Shape>& product, int chunk) const {
    const unsigned thread = threadIdx.x;
    const int channel = first_channel_ + Deal::channel_of(thread, chunk);
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
      const int pixel = pixel_of(thread, row);
#pragma unroll
      for (int part = 0; part < Deal::kParts; ++part) {
        float v[4];
        product.four(row / 2, chunk, row % 2, part, v);
        if (pixel < 0) continue;
        run_epilogue_tail(packed_.epilogue, pixel, channel + part * 4, channels_, v, 4);
      }
    }
  }

  /// Item ((chunk * rows + row) * parts + part) * threads + thread.
  __device__ void put_sums(const Product<T, Shape>& product, float4* shared) const {
#pragma unroll
    for (int chunk = 0; chunk < Deal::kChunks; ++chunk) {
#pragma unroll
      for (int row = 0; row < kRows; ++row) {
#pragma unroll
        for (int part = 0; part < Deal::kParts; ++part) {
          float v[4];
          product.four(row / 2, chunk, row % 2, part, v);
          const int item = (chunk * kRows + row) * Deal::kParts + part;
          shared[item * Shape::kBlockThreads + static_cast<int>(threadIdx.x)] =
              make_float4(v[0], v[1], v[2], v[3]);
        }
      }
    }
  }

  __device__ void finish_item(int index, float (&sum)[4]) const {
    const auto thread = static_cast<unsigned>(index % Shape::kBlockThreads);
    const int item = index / Shape::kBlockThreads;
    const int row = item / Deal::kParts % kRows;
    const int column =
        Deal::channel_of(thread, item / Deal::kParts / kRows) + item % Deal::kParts * 4;
    const int channel = first_channel_ + column;
    const int pixel = pixel_of(thread, row);
    if (pixel < 0 || channel >= channels_) return;
    const DeviceEpilogue& epilogue = packed_.epilogue;
    if constexpr (!IsPacked) {
      run_epilogue_tail(epilogue, pixel, channel, channels_, sum, 4);
    } else {
      PackedRun<T> residual{};
      if (epilogue.residual.data != nullptr) {
        residual = read_packed<T>(epilogue.residual, place(epilogue.residual, pixel, channel));
      }
      with_form<T>(packed_, [&](auto form) {
        const auto result =
            run_packed_epilogue<T, decltype(form)>(packed_, shelf_.four(column, 0), residual, sum);
        if (epilogue.output.data != nullptr) {
          write_packed<T>(epilogue.output, place(epilogue.output, pixel, channel), result.first);
        }
        if (epilogue.second.data != nullptr) {
          write_packed<T>(epilogue.second, place(epilogue.second, pixel, channel), result.second);
        }
      });
    }
  }

  const PackedEpilogue& packed_;
  Pixels pixels_;
  AffineShelf<Shape> shelf_;
  int first_channel_;
  int channels_;
  Run residuals_[kAhead][kRows];
};

}  // namespace chexnet_trt::cuda
