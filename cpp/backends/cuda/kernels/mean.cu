#include "backends/cuda/kernels/pixels.cuh"

namespace chexnet_trt::cuda {
namespace {

constexpr int kMeanGroups = 32;                      ///< of channels, a block's
constexpr int kMeanShares = kThreads / kMeanGroups;  ///< threads that share the pixels of a group

/// Blocks: images x groups of channels.
template <typename T, int Count>
__global__ void mean_kernel(const __grid_constant__ PixelArguments arguments) {
  __shared__ float sums[kMeanShares][kMeanGroups][Count + 1];
  release_successor();
  wait_for_predecessors();
  const ImageSize& size = arguments.size;
  const int group = static_cast<int>(threadIdx.x) % kMeanGroups;
  const int share = static_cast<int>(threadIdx.x) / kMeanGroups;
  const int channel = (static_cast<int>(blockIdx.y) * kMeanGroups + group) * Count;
  const int image = static_cast<int>(blockIdx.x);
  const int pixels = size.height * size.width;
  float sum[Count] = {};
  if (channel < size.channels) {
#pragma unroll 4
    for (int pixel = share; pixel < pixels; pixel += kMeanShares) {
      float v[Count];
      load_pixel<T>(arguments.input, image * pixels + pixel, channel, v);
#pragma unroll
      for (int i = 0; i < Count; ++i) sum[i] += v[i];
    }
  }
#pragma unroll
  for (int i = 0; i < Count; ++i) sums[share][group][i] = sum[i];
  __syncthreads();
  if (share != 0 || channel >= size.channels) return;
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    for (int other = 1; other < kMeanShares; ++other) sum[i] += sums[other][group][i];
    sum[i] /= static_cast<float>(pixels);
  }
  finish(arguments.epilogue, {image, channel, true}, size.channels, sum);
}

}  // namespace

cudaError_t launch_mean(const PixelArguments& arguments, cudaStream_t stream) {
  return with_type(arguments.input.element, [&](auto stored) {
    using T = typename decltype(stored)::Type;
    const bool wide = is_wide(arguments.input, arguments.epilogue);
    const int channels_a_block = kMeanGroups * (wide ? kVector : 1);
    const dim3 blocks(
        static_cast<unsigned>(arguments.size.images),
        static_cast<unsigned>((arguments.size.channels + channels_a_block - 1) / channels_a_block));
    return launch(wide ? mean_kernel<T, kVector> : mean_kernel<T, 1>, blocks, kThreads, 0, 1,
                  stream, arguments);
  });
}

}  // namespace chexnet_trt::cuda
