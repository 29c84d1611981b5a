#pragma once

#include "backends/cuda/kernels/kernels.hpp"

// Kernels of ops that are rare in image classifiers: a thread computes one number, plainly, and runs
// the epilogue.

namespace chexnet_trt::cuda {

struct SimpleArguments {
  DeviceValue input;
  ImageSize input_size;
  ImageSize output_size;
  DeviceEpilogue epilogue;
};

/// The numbers of an image as one row; `channels_first`: as if it lay as CHW.
struct FlattenArguments : SimpleArguments {
  bool channels_first = false;
};

/// Over the channels of every pixel.
struct SoftmaxArguments : SimpleArguments {};

/// Weights: [outputs][height][width][inputs of a group]. Multiplies what is stored: the scale of
/// 8-bit inputs is left to the epilogue.
struct GroupedConvArguments : SimpleArguments {
  Window window;
  int group_inputs = 1;
  int group_outputs = 1;
  const float* weights = nullptr;
};

/// Weights: [outputs][height][width][inputs]. No dilation.
struct TransposedConvArguments : SimpleArguments {
  Window window;
  const float* weights = nullptr;
};

struct UnaryArguments : SimpleArguments {
  UnaryKind kind = UnaryKind::kNeg;
};

/// One side of a binary op: a value, of the result's size or one pixel for all of an image, or a
/// number a channel.
struct PairOperand {
  DeviceValue value;
  bool is_one_pixel = false;
  const float* per_channel = nullptr;  ///< null: `value`
};
/// `input` is not used.
struct PairArguments : SimpleArguments {
  PairOperand left;
  PairOperand right;
  BinaryKind kind = BinaryKind::kAdd;
};

/// Output (y, x, channel) is input begin + stride * (y, x, channel), 0 outside.
struct WindowArguments : SimpleArguments {
  // NOLINTBEGIN(modernize-avoid-c-arrays): the members of std::array are no device functions
  int begin[3] = {0, 0, 0};
  int stride[3] = {1, 1, 1};
  // NOLINTEND(modernize-avoid-c-arrays)
};

/// LrnAttributes (graph/attributes.hpp).
struct LrnArguments : SimpleArguments {
  int radius = 0;
  float alpha = 0;
  float beta = 0;
  float bias = 0;
};

/// Over all pixels of an image.
struct ReduceArguments : SimpleArguments {
  ReduceKind kind = ReduceKind::kSum;
};

/// Any of the above.
template <typename Arguments>
cudaError_t launch_simple(const Arguments& arguments, cudaStream_t stream);

}  // namespace chexnet_trt::cuda
