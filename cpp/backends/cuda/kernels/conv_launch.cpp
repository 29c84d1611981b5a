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

/// Of convolutions alone, whatever their window.
std::vector<ConvTile> general_tiles() {
  constexpr ConvKernel kWarp = ConvKernel::kWarp;
  constexpr ConvKernel kGroup = ConvKernel::kWarpgroup;
  return {{kWarp, 64, 64},     {kWarp, 128, 128},   {kWarp, 128, 64},    {kWarp, 128, 32},
          {kWarp, 64, 64, 2},  {kWarp, 64, 64, 4},  {kWarp, 64, 64, 8},  {kWarp, 64, 32},
          {kWarp, 64, 32, 2},  {kWarp, 64, 32, 4},  {kWarp, 64, 32, 8},  {kWarp, 32, 32},
          {kWarp, 32, 32, 2},  {kWarp, 32, 32, 4},  {kWarp, 32, 32, 8},  {kGroup, 128, 256},
          {kGroup, 256, 128},  {kGroup, 128, 128},  {kGroup, 64, 128},   {kGroup, 256, 64},
          {kGroup, 128, 64},   {kGroup, 256, 32},   {kGroup, 128, 32},   {kGroup, 64, 64},
          {kGroup, 64, 64, 2}, {kGroup, 64, 64, 4}, {kGroup, 64, 64, 8}, {kGroup, 64, 32},
          {kGroup, 64, 32, 2}, {kGroup, 64, 32, 4}, {kGroup, 64, 32, 8}};
}

std::vector<ConvTile> all_tiles() {
  constexpr ConvKernel kWindow = ConvKernel::kWindow;
  constexpr ConvKernel kBackToBack = ConvKernel::kBackToBack;
  std::vector<ConvTile> tiles = general_tiles();
  for (ConvTile tile : general_tiles()) {
    tile.maps_first = true;
    tiles.push_back(tile);
  }
  tiles.insert(tiles.end(), {{kWindow, 256, 64},
                             {kWindow, 256, 32},
                             {kBackToBack, 128, kMiddleChannels},
                             {kBackToBack, 192, kMiddleChannels},
                             {kBackToBack, 256, kMiddleChannels},
                             {ConvKernel::kJoined}});
  return tiles;
}

cudaError_t launch_product(const ConvArguments& arguments, const ConvTile& tile,
                           cudaStream_t stream) {
  const ConvKernelArguments kernel(arguments);
  const ElementType multiplied =
      arguments.has_prologue ? arguments.prologue.output.element : arguments.input.element;
  switch (multiplied) {
    case ElementType::kFloat32: return launch_conv_float(kernel, tile, stream);
    case ElementType::kFloat16: return launch_conv_half(kernel, tile, stream);
    case ElementType::kBFloat16: return launch_conv_bfloat16(kernel, tile, stream);
    case ElementType::kInt8: return launch_conv_int8(kernel, tile, stream);
    default: return launch_conv_uint8(kernel, tile, stream);
  }
}

cudaError_t launch_map_first(ConvArguments arguments, const ConvTile& tile, cudaStream_t stream) {
  if (!arguments.has_prologue) return cudaErrorInvalidValue;
  const cudaError_t mapped =
      launch_map({arguments.input, arguments.input_size, arguments.prologue}, stream);
  if (mapped != cudaSuccess) return mapped;
  arguments.input = arguments.prologue.output;
  arguments.has_prologue = false;
  return launch_product(arguments, tile, stream);
}

}  // namespace

bool has_warpgroups() {
  return attribute(cudaDevAttrComputeCapabilityMajor) == 9 &&
         attribute(cudaDevAttrComputeCapabilityMinor) == 0;
}

int multiprocessors() { return attribute(cudaDevAttrMultiProcessorCount); }

int shared_bytes_at_most() { return attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin); }

const std::vector<ConvTile>& conv_tiles() {
  static const std::vector<ConvTile> tiles = all_tiles();
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
  const ConvTile& shape = conv_tiles().at(tile);
  if (shape.kernel != ConvKernel::kWarp && !has_warpgroups()) return cudaErrorInvalidDeviceFunction;
  return shape.maps_first ? launch_map_first(arguments, shape, stream)
                          : launch_product(arguments, shape, stream);
}

}  // namespace chexnet_trt::cuda
