#pragma once

#include "backends/cuda/kernels/packed.cuh"

namespace chexnet_trt::cuda {

/// The largest of stored numbers, a word at a time.
template <typename T>
struct WordMax {
  using Pair = typename FloatPairs<T>::Pair;
  Pair largest = FloatPairs<T>::from_floats(-INFINITY, -INFINITY);
  __device__ void take(unsigned word) {
    largest = __hmax2(largest, *reinterpret_cast<const Pair*>(&word));
  }
  __device__ unsigned get() const { return *reinterpret_cast<const unsigned*>(&largest); }
};
template <>
struct WordMax<float> {
  float largest = -INFINITY;
  __device__ void take(unsigned word) { largest = fmaxf(largest, __uint_as_float(word)); }
  __device__ unsigned get() const { return __float_as_uint(largest); }
};
/// Bytes as the upper halves of 16-bit numbers: what lies below an upper half decides nothing.
template <>
struct WordMax<unsigned char> {
  unsigned odd = 0;
  unsigned even = 0;
  __device__ void take(unsigned word) {
    odd = __vmaxu2(odd, word);
    even = __vmaxu2(even, word << 8);
  }
  __device__ unsigned get() const { return __byte_perm(even, odd, 0x7351); }
};
template <>
struct WordMax<signed char> {
  unsigned odd = 0x80008000U;
  unsigned even = 0x80008000U;
  __device__ void take(unsigned word) {
    odd = __vmaxs2(odd, word);
    even = __vmaxs2(even, word << 8);
  }
  __device__ unsigned get() const { return __byte_perm(even, odd, 0x7351); }
};

}  // namespace chexnet_trt::cuda
