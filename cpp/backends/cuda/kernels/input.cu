#include "backends/cuda/kernels/input_blocks.cuh"
#include "backends/cuda/kernels/pixels.cuh"

namespace chexnet_trt::cuda {
namespace {

__device__ float read_input(const InputArguments& arguments, int image, int y, int x, int c) {
  const ImageSize& size = arguments.size;
  if (y < 0 || x < 0 || y >= size.height || x >= size.width) return 0.0F;
  const std::int64_t from =
      arguments.channels_first
          ? ((static_cast<std::int64_t>(image) * size.channels + c) * size.height + y) *
                    size.width +
                x
          : ((static_cast<std::int64_t>(image) * size.height + y) * size.width + x) *
                    size.channels +
                c;
  float v[1] = {arguments.element == ElementType::kUInt8
                    ? static_cast<float>(static_cast<const unsigned char*>(arguments.data)[from])
                    : static_cast<const float*>(arguments.data)[from]};
  scale_and_shift(arguments.epilogue.mul, arguments.epilogue.add, c, v);
  return v[0];
}

/// A thread a pixel of the result.
__global__ void input_kernel(const __grid_constant__ InputArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const int block = arguments.block;
  const DeviceValue& output = arguments.epilogue.output;
  const int pixel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int line = pixel / arguments.output_width;
  const int image = line / arguments.output_height;
  if (image >= size.images) return;
  const int x0 = (pixel - line * arguments.output_width) * block - arguments.pad_x;
  const int y0 = (line - image * arguments.output_height) * block - arguments.pad_y;
  const std::int64_t first = static_cast<std::int64_t>(pixel) * output.pitch;
  for (int index = 0; index < block * block * size.channels; ++index) {
    const int c = index % size.channels;
    const int dx = index / size.channels % block;
    const int dy = index / size.channels / block;
    float v[1] = {read_input(arguments, image, y0 + dy, x0 + dx, c)};
    store(output, first + index, v);
  }
}

}  // namespace

cudaError_t launch_input(const InputArguments& arguments, cudaStream_t stream) {
  return with_type(arguments.epilogue.output.element, [&](auto stored) {
    using T = typename decltype(stored)::Type;
    if (is_in_blocks<T>(arguments)) return launch_input_blocks<T>(arguments, stream);
    const std::int64_t pixels = static_cast<std::int64_t>(arguments.size.images) *
                                arguments.output_height * arguments.output_width;
    return launch(input_kernel, dim3(blocks_for(pixels)), kThreads, 0, 1, stream, arguments);
  });
}

}  // namespace chexnet_trt::cuda
