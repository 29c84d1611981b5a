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
  static const bool has = attribute(cudaDevAttrComputeCapabilityMajor) == 9 &&
                          attribute(cudaDevAttrComputeCapabilityMinor) == 0;
  return has;
}

}  // namespace

const std::vector<ConvTile>& conv_tiles() {
  static const std::vector<ConvTile> tiles{
      {true, 128, 256},   {true, 256, 128},   {true, 128, 128},   {true, 64, 128},
      {true, 256, 64},    {true, 128, 64},    {true, 256, 32},    {true, 128, 32},
      {true, 64, 64},     {true, 64, 64, 2},  {true, 64, 64, 4},  {true, 64, 64, 8},
      {true, 64, 32},     {true, 64, 32, 2},  {true, 64, 32, 4},  {true, 64, 32, 8},
      {false, 64, 64},    {false, 128, 128},  {false, 128, 64},   {false, 128, 32},
      {false, 64, 64, 2}, {false, 64, 64, 4}, {false, 64, 64, 8}, {false, 64, 32},
      {false, 64, 32, 2}, {false, 64, 32, 4}, {false, 64, 32, 8}, {false, 32, 32},
      {false, 32, 32, 2}, {false, 32, 32, 4}, {false, 32, 32, 8}};
  return tiles;
}

std::size_t plain_conv_tile() {
  constexpr std::size_t kPlain = 16;
  return kPlain;
}

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
  if (shape.is_warpgroup && !has_warpgroups()) return cudaErrorInvalidDeviceFunction;
  switch (arguments.input.element) {
    case ElementType::kFloat32: return launch_conv_float(kernel, shape, stream);
    case ElementType::kFloat16: return launch_conv_half(kernel, shape, stream);
    case ElementType::kBFloat16: return launch_conv_bfloat16(kernel, shape, stream);
    case ElementType::kInt8: return launch_conv_int8(kernel, shape, stream);
    default: return launch_conv_uint8(kernel, shape, stream);
  }
}

}  // namespace chexnet_trt::cuda
