#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/launch.cuh"

namespace chexnet_trt::cuda {
namespace {

__global__ void arg_max_kernel(ArgMaxArguments arguments) {
  release_successor();
  wait_for_predecessors();
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= arguments.rows) return;
  float best = -INFINITY;
  int index = 0;
  for (int column = 0; column < arguments.columns; ++column) {
    float v[1];
    load(arguments.input, row * arguments.input.pitch + column, v);
    if (v[0] <= best) continue;
    best = v[0];
    index = column;
  }
  if (arguments.element == ElementType::kInt64) {
    static_cast<std::int64_t*>(arguments.data)[row] = index;
  } else {
    static_cast<std::int32_t*>(arguments.data)[row] = index;
  }
}

}  // namespace

cudaError_t launch_arg_max(const ArgMaxArguments& arguments, cudaStream_t stream) {
  return launch(arg_max_kernel, dim3(blocks_for(arguments.rows)), kThreads, 0, 1, stream,
                arguments);
}

}  // namespace chexnet_trt::cuda
