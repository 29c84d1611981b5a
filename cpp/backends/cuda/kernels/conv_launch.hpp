#pragma once

#include "backends/cuda/kernels/packed_epilogue.hpp"

namespace chexnet_trt::cuda {

/// ConvArguments with what the kernel would compute anew in every thread.
struct ConvKernelArguments {
  ConvKernelArguments() = default;
  explicit ConvKernelArguments(const ConvArguments& arguments);

  ConvArguments conv;
  PackedEpilogue epilogue;
  PackedEpilogue prologue;
  StoredLevels input_levels;  ///< with a prologue
  int pixels = 0;             ///< of all images of the result
  int words = 0;              ///< of all taps
  int words_a_tap = 0;        ///< of 16 bytes
  int words_a_split = 0;      ///< of one block of a cluster
  int pixel_bytes = 0;        ///< channels of a pixel of the input
  int pitch_words = 0;        ///< between its pixels
  unsigned column_tiles = 0;
};

// Of the current device.

int multiprocessors();
/// wgmma is an instruction of compute capability 9.0 alone.
bool has_warpgroups();
/// Dynamic shared memory of a block.
int shared_bytes_at_most();

// One a file, because they take long to compile.
cudaError_t launch_conv_float(const ConvKernelArguments& arguments, const ConvTile& tile,
                              cudaStream_t stream);
cudaError_t launch_conv_half(const ConvKernelArguments& arguments, const ConvTile& tile,
                             cudaStream_t stream);
cudaError_t launch_conv_bfloat16(const ConvKernelArguments& arguments, const ConvTile& tile,
                                 cudaStream_t stream);
cudaError_t launch_conv_int8(const ConvKernelArguments& arguments, const ConvTile& tile,
                             cudaStream_t stream);
cudaError_t launch_conv_uint8(const ConvKernelArguments& arguments, const ConvTile& tile,
                              cudaStream_t stream);

}  // namespace chexnet_trt::cuda
