#include "backends/cuda/kernels/conv_launch.hpp"

namespace chexnet_trt::cuda {
namespace {

constexpr std::int32_t kWord = 16;

bool is_wide(const DeviceValue& value) {
  const std::size_t width = size_of(value.element);
  const std::size_t word = width == 1 ? 8 : kWord;
  return value.data == nullptr || (reinterpret_cast<std::uintptr_t>(value.data) % word == 0 &&
                                   static_cast<std::size_t>(value.pitch) * width % word == 0);
}

}  // namespace

const std::vector<ConvTile>& conv_tiles() {
  static const std::vector<ConvTile> tiles{
      {128, 256},  {256, 64},   {128, 128},  {128, 64},   {128, 32},   {64, 64},
      {64, 64, 2}, {64, 64, 4}, {64, 64, 8}, {64, 32},    {64, 32, 2}, {64, 32, 4},
      {64, 32, 8}, {32, 32},    {32, 32, 2}, {32, 32, 4}, {32, 32, 8}};
  return tiles;
}

cudaError_t launch_conv(const ConvArguments& arguments, std::size_t tile, cudaStream_t stream) {
  const auto width = static_cast<std::int32_t>(size_of(arguments.input.element));
  ConvKernelArguments kernel;
  kernel.conv = arguments;
  const ImageSize& in = arguments.input_size;
  const ImageSize& out = arguments.output_size;
  kernel.pixels = out.images * out.height * out.width;
  kernel.pixel_bytes = in.channels * width;
  kernel.words_a_tap = (kernel.pixel_bytes + kWord - 1) / kWord;
  kernel.words = kernel.words_a_tap * arguments.window.height * arguments.window.width;
  kernel.pitch_bytes = static_cast<std::int32_t>(arguments.input.pitch) * width;
  kernel.image_bytes = static_cast<std::int64_t>(in.height) * in.width * kernel.pitch_bytes;
  kernel.is_wide = is_wide(arguments.epilogue.residual) && is_wide(arguments.epilogue.output) &&
                   is_wide(arguments.epilogue.second);
  const ConvTile& shape = conv_tiles().at(tile);
  switch (arguments.input.element) {
    case ElementType::kFloat32: return launch_conv_float(kernel, shape, stream);
    case ElementType::kFloat16: return launch_conv_half(kernel, shape, stream);
    case ElementType::kBFloat16: return launch_conv_bfloat16(kernel, shape, stream);
    case ElementType::kInt8: return launch_conv_int8(kernel, shape, stream);
    default: return launch_conv_uint8(kernel, shape, stream);
  }
}

}  // namespace chexnet_trt::cuda
