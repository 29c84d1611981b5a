#include "backends/cuda/kernels/pixels.cuh"

namespace chexnet_trt::cuda {
namespace {

__global__ void output_kernel(OutputArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const int pixels = size.height * size.width;
  const Position at = position_of<1>(size.images * pixels, size.channels);
  if (!at.is_inside) return;
  float v[1];
  load(arguments.input, at.pixel * arguments.input.pitch + at.channel, v);
  const std::int64_t image = at.pixel / pixels;
  const std::int64_t to = arguments.channels_first
                              ? (image * size.channels + at.channel) * pixels + at.pixel % pixels
                              : static_cast<std::int64_t>(at.pixel) * size.channels + at.channel;
  arguments.data[to] = v[0];
}

}  // namespace

cudaError_t launch_output(const OutputArguments& arguments, cudaStream_t stream) {
  return launch(output_kernel, dim3(blocks_for(groups_of(arguments.size, 1))), kThreads, 0, 1,
                stream, arguments);
}

}  // namespace chexnet_trt::cuda
