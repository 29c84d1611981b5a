#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "common/element_type.hpp"
#include "graph/attributes.hpp"

// The kernels of this backend as functions that launch them on a stream. All pointers are device
// pointers; every image lies as NHWC with `pitch` elements between its pixels.

namespace chexnet_trt::cuda {

/// A value as a kernel sees it. 8-bit values stand for `data * scale`; `inverse` is 1 / scale.
struct DeviceValue {
  void* data = nullptr;
  ElementType element = ElementType::kFloat32;
  float scale = 1;
  float inverse = 1;
  std::int64_t pitch = 0;
};

struct DeviceActivation {
  int kind = -1;  ///< of ActivationKind; -1: none
  float alpha = 0;
  /// What a relu, or none, does: the larger of the number and this.
  float floor = -std::numeric_limits<float>::infinity();
};

/// Epilogue (program.hpp) in device memory. Null pointers leave a part out.
struct DeviceEpilogue {
  const float* mul = nullptr;
  const float* add = nullptr;
  DeviceActivation activation;
  DeviceValue residual;
  DeviceActivation activation_after;
  /// Without `data`, numbers are rounded as if they were stored.
  DeviceValue output;
  const float* second_mul = nullptr;
  const float* second_add = nullptr;
  const float* units = nullptr;  ///< unit_affine.hpp; where a kernel may store 8 bits
  DeviceActivation second_activation;
  DeviceValue second;
};

struct ImageSize {
  std::int32_t images = 1;
  std::int32_t height = 1;
  std::int32_t width = 1;
  std::int32_t channels = 1;
};

struct Window {
  std::int32_t height = 1;
  std::int32_t width = 1;
  std::int32_t stride_y = 1;
  std::int32_t stride_x = 1;
  std::int32_t pad_y = 0;
  std::int32_t pad_x = 0;
  std::int32_t dilation_y = 1;
  std::int32_t dilation_x = 1;
};

/// Weights: [out][taps][words of 16 bytes of input channels, the last one filled with zeros], of the
/// input's type, int8 for uint8.
struct ConvArguments {
  DeviceValue input;
  ImageSize input_size;
  ImageSize output_size;
  Window window;
  const void* weights = nullptr;
  DeviceEpilogue epilogue;
  /// What the input goes through as it is read, or, into its output's memory, before.
  bool has_prologue = false;
  DeviceEpilogue prologue;
};

/// kWarp: mma.sync. kWarpgroup: wgmma, which needs compute capability 9.0 and another type than
/// float32. kWindow: the same, the window sliding over shared memory. kBackToBack: the same, the
/// next convolution computed from what is still in registers, which makes that one kJoined.
enum class ConvKernel { kWarp, kWarpgroup, kWindow, kBackToBack, kJoined };

/// How the implicit matrix product of a convolution is cut: a block computes `rows` pixels by
/// `columns` channels, `splits` blocks share the sum over the taps.
struct ConvTile {
  ConvKernel kernel = ConvKernel::kWarp;
  int rows = 0;
  int columns = 0;
  int splits = 1;
  bool maps_first = false;  ///< the prologue is a kernel of its own, before
};

const std::vector<ConvTile>& conv_tiles();
/// A tile, as an index of `conv_tiles`, that every device and element type has.
std::size_t plain_conv_tile();
/// The one of a convolution that is computed with the one before it.
std::size_t joined_conv_tile();
/// `tile` is an index of `conv_tiles`. Returns an error where the device or the type lacks it.
cudaError_t launch_conv(const ConvArguments& arguments, std::size_t tile, cudaStream_t stream);

/// Channels between two convolutions that are computed back to back, taken at a time.
constexpr int kMiddleChannels = 64;

/// Two pointwise convolutions; the second reads what the first's epilogue leaves last, the middle.
struct BackToBackArguments {
  ConvArguments first;
  ConvArguments second;
  const void* image = nullptr;  ///< back_to_back.hpp; takes the place of both weights
  bool stores_middle = false;   ///< others read it too
};
/// `tile`: of kBackToBack.
cudaError_t launch_back_to_back(const BackToBackArguments& arguments, const ConvTile& tile,
                                cudaStream_t stream);

struct InputArguments {
  const void* data = nullptr;
  ElementType element = ElementType::kFloat32;
  bool channels_first = false;
  ImageSize size;
  int block = 1;
  int pad_y = 0;
  int pad_x = 0;
  /// Size of `epilogue.output`, whose channels are block * block * size.channels.
  int output_height = 1;
  int output_width = 1;
  /// Scale and shift of the input's channels; only that and `output` count.
  DeviceEpilogue epilogue;
};
cudaError_t launch_input(const InputArguments& arguments, cudaStream_t stream);

struct PoolArguments {
  DeviceValue input;
  ImageSize input_size;
  ImageSize output_size;
  Window window;
  bool is_max = true;
  DeviceEpilogue epilogue;
};
cudaError_t launch_pool(const PoolArguments& arguments, cudaStream_t stream);

struct PixelArguments {
  DeviceValue input;
  ImageSize size;
  DeviceEpilogue epilogue;
};
cudaError_t launch_map(const PixelArguments& arguments, cudaStream_t stream);
/// The mean over the pixels of each image.
cudaError_t launch_mean(const PixelArguments& arguments, cudaStream_t stream);

struct DenseArguments {
  DeviceValue input;
  int rows = 1;
  int inputs = 1;
  int outputs = 1;
  const float* weights = nullptr;  ///< [outputs][inputs]
  DeviceEpilogue epilogue;
};
cudaError_t launch_dense(const DenseArguments& arguments, cudaStream_t stream);

struct OutputArguments {
  DeviceValue input;
  ImageSize size;
  bool channels_first = false;
  float* data = nullptr;
};
cudaError_t launch_output(const OutputArguments& arguments, cudaStream_t stream);

struct ArgMaxArguments {
  DeviceValue input;
  int rows = 1;
  int columns = 1;
  ElementType element = ElementType::kInt64;
  void* data = nullptr;
};
cudaError_t launch_arg_max(const ArgMaxArguments& arguments, cudaStream_t stream);

}  // namespace chexnet_trt::cuda
