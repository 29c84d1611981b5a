#pragma once

#include "backends/cuda/kernels/tile.cuh"

namespace chexnet_trt::cuda {

template <typename T, int Groups_, int Columns_>
struct BackToBackShape {
  static constexpr int kGroups = Groups_;    ///< warpgroups
  static constexpr int kColumns = Columns_;  ///< channels of the second convolution
  static constexpr int kRows = 64 * kGroups;
  using First = Tile<Unit::kWarpgroup, kRows, kMiddleChannels, 64, kMiddleChannels, 1, 1>;
  using Second = Tile<Unit::kWarpgroup, kRows, kColumns, 64, kColumns, 1, 1>;
  static constexpr int kThreads = 128 * kGroups;
  static constexpr int kMiddleWords = kMiddleChannels * static_cast<int>(sizeof(T)) / kWordBytes;
  static constexpr int kSecondBytes = kMiddleWords * kColumns * kWordBytes;  ///< of a slot
};

/// What is the same for all blocks of a launch.
struct BackToBackKernelArguments {
  ConvKernelArguments first;
  ConvKernelArguments second;
  const void* image = nullptr;
  bool stores_middle = false;
  int chunks = 0;      ///< of the middle
  int slots = 0;       ///< as many as chunks: each is filled just once
  int slot_bytes = 0;  ///< the chunk's part of the image
  int tiles = 0;

  __host__ __device__ int middle_channels() const { return chunks * kMiddleChannels; }
};

/// Where things lie in shared memory: the input of the warpgroups, the slots, barriers, the scales and
/// shifts of both convolutions.
template <typename Shape>
struct BackToBackMemory {
  int strip;  ///< bytes of 64 pixels of the input
  int slots;
  int barriers;
  int units;  ///< of the first convolution, as DeviceEpilogue has them
  int shelf;
  int end;

  __host__ __device__ explicit BackToBackMemory(const BackToBackKernelArguments& arguments) {
    strip = (arguments.first.words + kStageWords - 1) / kStageWords * 64 * kStageBytes;
    slots = Shape::kGroups * strip;
    barriers = slots + arguments.slots * arguments.slot_bytes;
    units = barriers + arguments.slots * kWordBytes;
    shelf = units + arguments.middle_channels() * kWordBytes;
    end = shelf + Shape::Second::kAffine;
  }
};

}  // namespace chexnet_trt::cuda
