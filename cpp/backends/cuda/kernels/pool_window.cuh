#pragma once

#include "backends/cuda/kernels/kernels.hpp"

namespace chexnet_trt::cuda {

/// The taps of a window that lie in the image.
struct WindowPart {
  int image;
  int first_y, last_y;
  int first_x, last_x;

  __device__ WindowPart(const PoolArguments& arguments, int pixel) {
    const ImageSize& in = arguments.input_size;
    const ImageSize& out = arguments.output_size;
    const Window& window = arguments.window;
    const int line = pixel / out.width;
    image = line / out.height;
    const int x = (pixel - line * out.width) * window.stride_x - window.pad_x;
    const int y = (line - image * out.height) * window.stride_y - window.pad_y;
    first_x = max(x, 0), last_x = min(x + window.width, in.width);
    first_y = max(y, 0), last_y = min(y + window.height, in.height);
  }
  __device__ int taps() const { return (last_y - first_y) * (last_x - first_x); }

  /// `take(pixel)` of every tap.
  template <typename Take>
  __device__ void each(const ImageSize& in, Take take) const {
    for (int y = first_y; y < last_y; ++y) {
#pragma unroll 3
      for (int x = first_x; x < last_x; ++x) take((image * in.height + y) * in.width + x);
    }
  }
};

}  // namespace chexnet_trt::cuda
