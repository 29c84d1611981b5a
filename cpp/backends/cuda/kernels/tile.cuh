#pragma once

#include "backends/cuda/kernels/column_deal.hpp"
#include "backends/cuda/kernels/conv_launch.hpp"

// How the matrix product of a convolution is cut: output pixels x output channels, summed over the
// words of 16 bytes of input channels of every tap.

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
  static constexpr int kUnitThreads = kUnit == Unit::kWarp ? 32 : 128;
  static constexpr int kBlockThreads = kUnits * kUnitThreads;
  /// A block alone on its multiprocessor begins a step while the one before is still multiplied.
  static constexpr bool kOverlaps = kUnit == Unit::kWarpgroup && kBlocksAtOnce == 1;
  static constexpr int kAhead = kStages - (kOverlaps ? 2 : 1);  ///< stages that are copied ahead
  static constexpr int kRowBytes = kRows * kStageBytes;         ///< of a stage
  static constexpr int kStage = kRowBytes + kColumns * kStageBytes;
  static constexpr bool kCanSplit = kRows * kColumns <= 64 * 64;
  static constexpr int kRing = kStages * kStage;
  static constexpr int kWholeTile = kCanSplit ? kRows * kColumns * 4 : 0;
  static constexpr int kBody = kRing > kWholeTile ? kRing : kWholeTile;
  /// Four numbers a channel (AffineShelf), with gaps against bank conflicts.
  static constexpr int kAffine = 4 * (kColumns + kColumns / 4) * 4;
  static constexpr int kShared = kBody + kAffine + static_cast<int>(kRingAlignment);
};

/// Which numbers of a tile a thread holds: of every 16 rows lane / 4 and lane / 4 + 8, of the columns
/// runs of kRun consecutive channels (column_deal.hpp). What it reads and writes needs no exchange.
template <typename T, typename Shape>
struct Runs {
  static constexpr int kRun = run_length(sizeof(T), Shape::kUnitColumns);
  static constexpr int kParts = kRun / 4;   ///< of 4 channels, as the epilogue takes them
  static constexpr int kGroups = kRun / 2;  ///< of 8 columns, in which a run lies
  static constexpr int kChunks = Shape::kUnitColumns / (4 * kRun);
  static constexpr int kStrips = Shape::kUnitRows / (Shape::kUnit == Unit::kWarp ? 16 : 64);

  /// The channel, counted in the tile, of a column of the matrix product.
  __host__ __device__ static constexpr int channel_of_column(int column) {
    return dealt_channel(column, Shape::kUnitColumns, kRun);
  }
  /// First channel of a run of `thread`, counted in the tile.
  __device__ static int channel_of(unsigned thread, int chunk) {
    const unsigned unit = thread / Shape::kUnitThreads / Shape::kUnitsDown;
    return static_cast<int>(unit * Shape::kUnitColumns + thread % 4 * kRun) + chunk * 4 * kRun;
  }
  /// Row, in the tile, of a run of `thread`; `half`: the upper or the lower 8 rows of 16.
  __device__ static int row_of(unsigned thread, int strip, int half) {
    const unsigned unit = thread / Shape::kUnitThreads % Shape::kUnitsDown;
    const unsigned warp = thread % Shape::kUnitThreads / 32;
    constexpr int kStripRows = Shape::kUnit == Unit::kWarp ? 16 : 64;
    return static_cast<int>(unit * Shape::kUnitRows + warp * 16 + thread % 32 / 4) +
           strip * kStripRows + half * 8;
  }
};

__device__ inline unsigned word_address(unsigned base, int row, int word) {
  return base + static_cast<unsigned>(row * kStageBytes + ((word ^ (row & 7)) * kWordBytes));
}

}  // namespace chexnet_trt::cuda
