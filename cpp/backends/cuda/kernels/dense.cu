#include "backends/cuda/kernels/pixels.cuh"

namespace chexnet_trt::cuda {
namespace {

/// A warp a number; its lanes take `Count` inputs in turn.
template <typename T, int Count>
__global__ void dense_kernel(const __grid_constant__ DenseArguments arguments) {
  release_successor();
  const int warp = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / 32);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int row = warp / arguments.outputs;
  const int output = warp % arguments.outputs;
  wait_for_predecessors();
  if (row >= arguments.rows) return;
  const float* weights = arguments.weights + static_cast<std::int64_t>(output) * arguments.inputs;
  float sum[1] = {0};
#pragma unroll 4
  for (int k = lane * Count; k < arguments.inputs; k += 32 * Count) {
    float v[Count];
    float w[Count];
    load_pixel<T>(arguments.input, row, k, v);
    load_as<float>(weights, k, 1.0F, w);
#pragma unroll
    for (int i = 0; i < Count; ++i) sum[0] += v[i] * w[i];
  }
  for (int other = 16; other > 0; other /= 2) sum[0] += __shfl_xor_sync(~0U, sum[0], other);
  if (lane == 0) run_epilogue(arguments.epilogue, row, output, sum);
}

}  // namespace

cudaError_t launch_dense(const DenseArguments& arguments, cudaStream_t stream) {
  return with_type(arguments.input.element, [&](auto stored) {
    using T = typename decltype(stored)::Type;
    const bool wide = is_vector_aligned(arguments.input) && arguments.inputs % kVector == 0;
    const std::int64_t warps = static_cast<std::int64_t>(arguments.rows) * arguments.outputs;
    return launch(wide ? dense_kernel<T, kVector> : dense_kernel<T, 1>,
                  dim3(blocks_for(32 * warps)), kThreads, 0, 1, stream, arguments);
  });
}

}  // namespace chexnet_trt::cuda
