#pragma once

#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/launch.cuh"

// What the kernels without a matrix product share. A thread handles kVector channels of one pixel
// where the values are aligned, else one.

namespace chexnet_trt::cuda {

struct Position {
  int pixel;
  int channel;
  bool is_inside;
};

template <int Count>
__device__ Position position_of(int pixels, int channels) {
  const unsigned groups = static_cast<unsigned>(channels + Count - 1) / Count;
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned pixel = index / groups;
  return {static_cast<int>(pixel), static_cast<int>(index - pixel * groups) * Count,
          pixel < static_cast<unsigned>(pixels)};
}

__host__ __device__ inline int pixels_of(const ImageSize& size) {
  return size.images * size.height * size.width;
}

template <int Count>
__device__ void finish(const DeviceEpilogue& epilogue, const Position& at, int channels,
                       float (&v)[Count]) {
  if (at.channel + Count <= channels) return run_epilogue(epilogue, at.pixel, at.channel, v);
  run_epilogue_tail(epilogue, at.pixel, at.channel, channels, v, Count);
}

template <typename T, int Count>
__device__ void load_pixel(const DeviceValue& value, int pixel, int channel, float (&v)[Count]) {
  load_as<T>(value.data, static_cast<std::int64_t>(pixel) * value.pitch + channel, value.scale, v);
}

inline std::int64_t groups_of(const ImageSize& size, int count) {
  return static_cast<std::int64_t>(pixels_of(size)) * ((size.channels + count - 1) / count);
}

template <typename T>
struct Stored {
  using Type = T;
};

/// What `function` does of the type that `element` is stored as.
template <typename Function>
cudaError_t with_type(ElementType element, Function function) {
  switch (element) {
    case ElementType::kFloat16: return function(Stored<__half>());
    case ElementType::kBFloat16: return function(Stored<__nv_bfloat16>());
    case ElementType::kInt8: return function(Stored<signed char>());
    case ElementType::kUInt8: return function(Stored<unsigned char>());
    default: return function(Stored<float>());
  }
}

inline bool is_wide(const DeviceValue& input, const DeviceEpilogue& epilogue) {
  return is_vector_aligned(input) && is_vector_aligned(epilogue);
}

}  // namespace chexnet_trt::cuda
