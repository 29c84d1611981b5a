#include "backends/cuda/kernels/column_pool.cuh"
#include "backends/cuda/kernels/packed_pool.cuh"
#include "backends/cuda/kernels/pixels.cuh"
#include "backends/cuda/kernels/pool_window.cuh"

namespace chexnet_trt::cuda {
namespace {

template <typename T, int Count>
__global__ void pool_kernel(const __grid_constant__ PoolArguments arguments) {
  release_successor();
  const ImageSize& out = arguments.output_size;
  const Position at = position_of<Count>(pixels_of(out), out.channels);
  wait_for_predecessors();
  if (!at.is_inside) return;
  const WindowPart part(arguments, at.pixel);
  float v[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] = arguments.is_max ? -INFINITY : 0.0F;
  part.each(arguments.input_size, [&](int pixel) {
    float tap[Count];
    load_pixel<T>(arguments.input, pixel, at.channel, tap);
#pragma unroll
    for (int i = 0; i < Count; ++i) {
      v[i] = arguments.is_max ? fmaxf(v[i], tap[i]) : v[i] + tap[i];
    }
  });
  const float divisor = arguments.is_max ? 1.0F : 1.0F / static_cast<float>(part.taps());
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] *= divisor;
  finish(arguments.epilogue, at, out.channels, v);
}

template <typename T>
cudaError_t launch_packed(const PoolArguments& arguments, cudaStream_t stream) {
  const PackedPoolArguments packed{arguments, stored_levels(arguments.input),
                                   PackedEpilogue(arguments.epilogue)};
  const auto is_window = [&](int side, int stride) {
    const Window& window = arguments.window;
    return window.height == side && window.width == side && window.stride_y == stride &&
           window.stride_x == stride;
  };
  if (arguments.is_max && is_window(3, 2)) {
    return launch_column_pool<T, true, 3, 2>(packed, stream);
  }
  if (!arguments.is_max && is_window(2, 2)) {
    return launch_column_pool<T, false, 2, 2>(packed, stream);
  }
  return launch(arguments.is_max ? packed_pool_kernel<T, true> : packed_pool_kernel<T, false>,
                dim3(blocks_for(groups_of(arguments.output_size, kVector))), kThreads, 0, 1, stream,
                packed);
}

}  // namespace

cudaError_t launch_pool(const PoolArguments& arguments, cudaStream_t stream) {
  return with_type(arguments.input.element, [&](auto stored) {
    using T = typename decltype(stored)::Type;
    const DeviceValue& input = arguments.input;
    if (is_packed<T>(input, kVector) &&
        is_packed<T>(arguments.epilogue, arguments.output_size.channels, kVector)) {
      return launch_packed<T>(arguments, stream);
    }
    const bool wide = is_wide(input, arguments.epilogue);
    return launch(wide ? pool_kernel<T, kVector> : pool_kernel<T, 1>,
                  dim3(blocks_for(groups_of(arguments.output_size, wide ? kVector : 1))), kThreads,
                  0, 1, stream, arguments);
  });
}

}  // namespace chexnet_trt::cuda
