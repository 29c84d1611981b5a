#include "backends/cuda/kernels/packed_vector.cuh"
#include "backends/cuda/kernels/pixels.cuh"

namespace chexnet_trt::cuda {
namespace {

template <typename T, int Count>
__global__ void map_kernel(const __grid_constant__ PixelArguments arguments) {
  release_successor();
  const ImageSize& size = arguments.size;
  const Position at = position_of<Count>(pixels_of(size), size.channels);
  wait_for_predecessors();
  if (!at.is_inside) return;
  float v[Count];
  load_pixel<T>(arguments.input, at.pixel, at.channel, v);
  finish(arguments.epilogue, at, size.channels, v);
}

struct PackedMapArguments {
  DeviceValue input;
  StoredLevels levels;
  ImageSize size;
  PackedEpilogue packed;
};

constexpr int kMapPixels = 4;  ///< a thread's

/// Where everything is packed. Threads x kMapPixels cover the pixels of one group of channels each.
template <typename T>
__global__ void packed_map_kernel(const __grid_constant__ PackedMapArguments arguments) {
  release_successor();
  const ImageSize& size = arguments.size;
  const unsigned groups = static_cast<unsigned>(size.channels) / kVector;
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  const int pixels = pixels_of(size);
  const int stride = (pixels + kMapPixels - 1) / kMapPixels;
  const int first = static_cast<int>(index / groups);
  const int channel = static_cast<int>(index % groups) * kVector;
  if (first >= stride) return wait_for_predecessors();
  const KeptAffines affines(arguments.packed, size.channels, channel);
  wait_for_predecessors();
  Vector<T> inputs[kMapPixels];
  Vector<T> residuals[kMapPixels];
  const DeviceValue& residual = arguments.packed.epilogue.residual;
#pragma unroll
  for (int i = 0; i < kMapPixels; ++i) {
    const int pixel = min(first + i * stride, pixels - 1);
    inputs[i] = read_vector<T>(arguments.input, pixel, channel);
    if (residual.data != nullptr) residuals[i] = read_vector<T>(residual, pixel, channel);
  }
#pragma unroll
  for (int i = 0; i < kMapPixels; ++i) {
    const int pixel = first + i * stride;
    if (pixel >= pixels) return;
    float v[kVector / 4][4];
#pragma unroll
    for (int part = 0; part < kVector / 4; ++part) {
      unpack<T>(arguments.levels, inputs[i].part(part), v[part]);
    }
    finish_packed<T>(arguments.packed, affines, pixel, channel, residuals[i], v);
  }
}

}  // namespace

cudaError_t launch_map(const PixelArguments& arguments, cudaStream_t stream) {
  return with_type(arguments.input.element, [&](auto stored) {
    using T = typename decltype(stored)::Type;
    const DeviceValue& input = arguments.input;
    if (is_packed<T>(input, kVector) &&
        is_packed<T>(arguments.epilogue, arguments.size.channels, kVector)) {
      const std::int64_t pixels = (pixels_of(arguments.size) + kMapPixels - 1) / kMapPixels;
      const PackedMapArguments packed{input, stored_levels(input), arguments.size,
                                      PackedEpilogue(arguments.epilogue)};
      return launch(packed_map_kernel<T>,
                    dim3(blocks_for(pixels * (arguments.size.channels / kVector))), kThreads, 0, 1,
                    stream, packed);
    }
    const bool wide = is_wide(input, arguments.epilogue);
    const dim3 blocks(blocks_for(groups_of(arguments.size, wide ? kVector : 1)));
    return launch(wide ? map_kernel<T, kVector> : map_kernel<T, 1>, blocks, kThreads, 0, 1, stream,
                  arguments);
  });
}

}  // namespace chexnet_trt::cuda
