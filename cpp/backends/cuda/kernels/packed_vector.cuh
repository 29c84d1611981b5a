#pragma once

#include "backends/cuda/kernels/packed.cuh"

// The packed epilogue of a thread's kVector channels.

namespace chexnet_trt::cuda {

/// Scales and shifts of a thread's kVector channels.
struct KeptAffines {
  AffineFour four[kVector / 4];
  __device__ KeptAffines(const PackedEpilogue& packed, int channels, int channel) {
    const float* units = packed.epilogue.units;
#pragma unroll
    for (int i = 0; i < kVector / 4; ++i) {
      four[i] = affine_four(units, units_pitch(channels), channel + i * 4);
    }
  }
};

template <typename T>
using Vector = RunOf<T, kVector>;

/// Numbers of a value are counted in 32 bits (compiled_program.cpp).
__device__ inline int number_of(const DeviceValue& value, int pixel, int channel) {
  return pixel * static_cast<int>(value.pitch) + channel;
}

template <typename T>
__device__ Vector<T> read_vector(const DeviceValue& value, int pixel, int channel) {
  return {read_packed<T, kVector>(value, number_of(value, pixel, channel))};
}

template <typename T>
__device__ void finish_packed(const PackedEpilogue& packed, const KeptAffines& affines, int pixel,
                              int channel, const Vector<T>& residual, float (&v)[kVector / 4][4]) {
  Vector<T> output;
  Vector<T> second;
  with_form<T>(packed, [&](auto form) {
#pragma unroll
    for (int i = 0; i < kVector / 4; ++i) {
      const auto result =
          run_packed_epilogue<T, decltype(form)>(packed, affines.four[i], residual.part(i), v[i]);
      output.set(i, result.first);
      second.set(i, result.second);
    }
  });
  const auto write = [&](const DeviceValue& value, const Vector<T>& vector) {
    if (value.data != nullptr) write_packed(value, number_of(value, pixel, channel), vector.run);
  };
  write(packed.epilogue.output, output);
  write(packed.epilogue.second, second);
}

}  // namespace chexnet_trt::cuda
