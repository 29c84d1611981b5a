#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/launch.cuh"

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

/// A thread a pixel of the result. `Block` and `Channels` as in the arguments, which keeps the
/// pixel in registers, or 0.
template <int Block, int Channels>
__global__ void input_kernel(const __grid_constant__ InputArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const int block = Block > 0 ? Block : arguments.block;
  const int channels = Channels > 0 ? Channels : size.channels;
  const DeviceValue& output = arguments.epilogue.output;
  const int pixel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int line = pixel / arguments.output_width;
  const int image = line / arguments.output_height;
  if (image >= size.images) return;
  const int x0 = (pixel - line * arguments.output_width) * block - arguments.pad_x;
  const int y0 = (line - image * arguments.output_height) * block - arguments.pad_y;
  const auto number = [&](int index) {
    const int c = index % channels;
    const int dx = index / channels % block;
    return read_input(arguments, image, y0 + index / (channels * block), x0 + dx, c);
  };
  const int count = block * block * channels;
  const std::int64_t first = static_cast<std::int64_t>(pixel) * output.pitch;
  if constexpr (Block > 0) {
    constexpr int kCount = Block * Block * Channels;
#pragma unroll
    for (int group = 0; group < (kCount + kVector - 1) / kVector; ++group) {
      float v[kVector];
#pragma unroll
      for (int i = 0; i < kVector; ++i) {
        const int index = group * kVector + i;
        v[i] = index < kCount ? number(index) : 0.0F;
      }
      store(output, first + group * kVector, v);
    }
  } else {
    for (int index = 0; index < count; ++index) {
      float v[1] = {number(index)};
      store(output, first + index, v);
    }
  }
}

}  // namespace

cudaError_t launch_input(const InputArguments& arguments, cudaStream_t stream) {
  const std::int64_t pixels = static_cast<std::int64_t>(arguments.size.images) *
                              arguments.output_height * arguments.output_width;
  const bool is_colour_blocks = arguments.block == 2 && arguments.size.channels == 3 &&
                                arguments.epilogue.output.pitch % kVector == 0;
  return launch(is_colour_blocks ? input_kernel<2, 3> : input_kernel<0, 0>,
                dim3(blocks_for(pixels)), kThreads, 0, 1, stream, arguments);
}

}  // namespace chexnet_trt::cuda
