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

/// wgmma is an instruction of this compute capability alone.
bool has_warpgroups() {
  return attribute(cudaDevAttrComputeCapabilityMajor) == 9 &&
         attribute(cudaDevAttrComputeCapabilityMinor) == 0;
}

}  // namespace

int multiprocessors() { return attribute(cudaDevAttrMultiProcessorCount); }

int shared_bytes_at_most() { return attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin); }

const std::vector<ConvTile>& conv_tiles() {
  constexpr ConvKernel kWarp = ConvKernel::kWarp;
  constexpr ConvKernel kGroup = ConvKernel::kWarpgroup;
  constexpr ConvKernel kWindow = ConvKernel::kWindow;
  static const std::vector<ConvTile> tiles{
      {kWarp, 64, 64},     {kWarp, 128, 128},   {kWarp, 128, 64},    {kWarp, 128, 32},
      {kWarp, 64, 64, 2},  {kWarp, 64, 64, 4},  {kWarp, 64, 64, 8},  {kWarp, 64, 32},
      {kWarp, 64, 32, 2},  {kWarp, 64, 32, 4},  {kWarp, 64, 32, 8},  {kWarp, 32, 32},
      {kWarp, 32, 32, 2},  {kWarp, 32, 32, 4},  {kWarp, 32, 32, 8},  {kGroup, 128, 256},
      {kGroup, 256, 128},  {kGroup, 128, 128},  {kGroup, 64, 128},   {kGroup, 256, 64},
      {kGroup, 128, 64},   {kGroup, 256, 32},   {kGroup, 128, 32},   {kGroup, 64, 64},
      {kGroup, 64, 64, 2}, {kGroup, 64, 64, 4}, {kGroup, 64, 64, 8}, {kGroup, 64, 32},
      {kGroup, 64, 32, 2}, {kGroup, 64, 32, 4}, {kGroup, 64, 32, 8}, {kWindow, 256, 64},
      {kWindow, 256, 32}};
  return tiles;
}

std::size_t plain_conv_tile() { return 0; }

cudaError_t launch_conv(const ConvArguments& arguments, std::size_t tile, cudaStream_t stream) {
  const auto width = static_cast<std::int32_t>(size_of(arguments.input.element));
  ConvKernelArguments kernel;
  kernel.conv = arguments;
  kernel.epilogue = PackedEpilogue(arguments.epilogue);
  const ImageSize& in = arguments.input_size;
  const ImageSize& out = arguments.output_size;
  kernel.pixels = out.images * out.height * out.width;
  kernel.pixel_bytes = in.channels * width;
  kernel.words_a_tap = (kernel.pixel_bytes + kWord - 1) / kWord;
  kernel.words = kernel.words_a_tap * arguments.window.height * arguments.window.width;
  kernel.pitch_words = static_cast<std::int32_t>(arguments.input.pitch) * width / kWord;
  const ConvTile& shape = conv_tiles().at(tile);
  if (shape.kernel != ConvKernel::kWarp && !has_warpgroups()) return cudaErrorInvalidDeviceFunction;
  switch (arguments.input.element) {
    case ElementType::kFloat32: return launch_conv_float(kernel, shape, stream);
    case ElementType::kFloat16: return launch_conv_half(kernel, shape, stream);
    case ElementType::kBFloat16: return launch_conv_bfloat16(kernel, shape, stream);
    case ElementType::kInt8: return launch_conv_int8(kernel, shape, stream);
    default: return launch_conv_uint8(kernel, shape, stream);
  }
}

}  // namespace chexnet_trt::cuda
