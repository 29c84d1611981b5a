#include "backends/cuda/kernels/conv_launch.hpp"

namespace chexnet_trt::cuda {
namespace {

constexpr std::int32_t kWord = 16;

int attribute(cudaDeviceAttr which) {
  int device = 0;
  int value = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&value, which, device);
  return value;
}

}  // namespace

bool has_warpgroups() {
  return attribute(cudaDevAttrComputeCapabilityMajor) == 9 &&
         attribute(cudaDevAttrComputeCapabilityMinor) == 0;
}

int multiprocessors() { return attribute(cudaDevAttrMultiProcessorCount); }

int shared_bytes_at_most() { return attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin); }

const std::vector<ConvTile>& conv_tiles() {
  constexpr ConvKernel kWarp = ConvKernel::kWarp;
  constexpr ConvKernel kGroup = ConvKernel::kWarpgroup;
  constexpr ConvKernel kWindow = ConvKernel::kWindow;
  constexpr ConvKernel kBackToBack = ConvKernel::kBackToBack;
  static const std::vector<ConvTile> tiles{{kWarp, 64, 64},
                                           {kWarp, 128, 128},
                                           {kWarp, 128, 64},
                                           {kWarp, 128, 32},
                                           {kWarp, 64, 64, 2},
                                           {kWarp, 64, 64, 4},
                                           {kWarp, 64, 64, 8},
                                           {kWarp, 64, 32},
                                           {kWarp, 64, 32, 2},
                                           {kWarp, 64, 32, 4},
                                           {kWarp, 64, 32, 8},
                                           {kWarp, 32, 32},
                                           {kWarp, 32, 32, 2},
                                           {kWarp, 32, 32, 4},
                                           {kWarp, 32, 32, 8},
                                           {kGroup, 128, 256},
                                           {kGroup, 256, 128},
                                           {kGroup, 128, 128},
                                           {kGroup, 64, 128},
                                           {kGroup, 256, 64},
                                           {kGroup, 128, 64},
                                           {kGroup, 256, 32},
                                           {kGroup, 128, 32},
                                           {kGroup, 64, 64},
                                           {kGroup, 64, 64, 2},
                                           {kGroup, 64, 64, 4},
                                           {kGroup, 64, 64, 8},
                                           {kGroup, 64, 32},
                                           {kGroup, 64, 32, 2},
                                           {kGroup, 64, 32, 4},
                                           {kGroup, 64, 32, 8},
                                           {kWindow, 256, 64},
                                           {kWindow, 256, 32},
                                           {kBackToBack, 128, kMiddleChannels},
                                           {kBackToBack, 192, kMiddleChannels},
                                           {kBackToBack, 256, kMiddleChannels},
                                           {ConvKernel::kJoined}};
  return tiles;
}

std::size_t plain_conv_tile() { return 0; }

std::size_t joined_conv_tile() { return conv_tiles().size() - 1; }

ConvKernelArguments::ConvKernelArguments(const ConvArguments& arguments)
    : conv(arguments),
      epilogue(arguments.epilogue),
      prologue(arguments.prologue),
      input_levels(stored_levels(arguments.input)) {
  const auto width = static_cast<std::int32_t>(size_of(conv.input.element));
  const ImageSize& out = conv.output_size;
  pixels = out.images * out.height * out.width;
  pixel_bytes = conv.input_size.channels * width;
  words_a_tap = (pixel_bytes + kWord - 1) / kWord;
  words = words_a_tap * conv.window.height * conv.window.width;
  pitch_words = static_cast<std::int32_t>(conv.input.pitch) * width / kWord;
}

cudaError_t launch_conv(const ConvArguments& arguments, std::size_t tile, cudaStream_t stream) {
  const ConvKernelArguments kernel(arguments);
  const ConvTile& shape = conv_tiles().at(tile);
  if (shape.kernel != ConvKernel::kWarp && !has_warpgroups()) return cudaErrorInvalidDeviceFunction;
  const ElementType multiplied =
      arguments.has_prologue ? arguments.prologue.output.element : arguments.input.element;
  switch (multiplied) {
    case ElementType::kFloat32: return launch_conv_float(kernel, shape, stream);
    case ElementType::kFloat16: return launch_conv_half(kernel, shape, stream);
    case ElementType::kBFloat16: return launch_conv_bfloat16(kernel, shape, stream);
    case ElementType::kInt8: return launch_conv_int8(kernel, shape, stream);
    default: return launch_conv_uint8(kernel, shape, stream);
  }
}

}  // namespace chexnet_trt::cuda
