#pragma once

#include "backends/cuda/kernels/packed_vector.cuh"

// What a packed pooling makes of the taps of a window, kVector channels each.

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

template <typename T>
class LargestTap {
 public:
  /// Takes the place of a tap outside the image.
  static __device__ Vector<T> nothing() { return LargestTap().get(); }

  __device__ void take(const StoredLevels& /*levels*/, const Vector<T>& tap) {
#pragma unroll
    for (int i = 0; i < kWords; ++i) largest_[i].take(tap.run.words[i]);
  }
  /// All the taps of another.
  __device__ void take(const LargestTap& other) { take({}, other.get()); }

  __device__ void finish(const StoredLevels& levels, int /*taps*/,
                         float (&v)[kVector / 4][4]) const {
    const Vector<T> result = get();
#pragma unroll
    for (int i = 0; i < kVector / 4; ++i) unpack<T>(levels, result.part(i), v[i]);
  }

 private:
  static constexpr int kWords = kVector * sizeof(T) / 4;

  __device__ Vector<T> get() const {
    Vector<T> result;
#pragma unroll
    for (int i = 0; i < kWords; ++i) result.run.words[i] = largest_[i].get();
    return result;
  }

  WordMax<T> largest_[kWords];
};

template <typename T>
class MeanOfTaps {
 public:
  static __device__ Vector<T> nothing() { return {}; }

  __device__ void take(const StoredLevels& levels, const Vector<T>& tap) {
#pragma unroll
    for (int i = 0; i < kVector / 4; ++i) {
      float four[4];
      unpack<T>(levels, tap.part(i), four);
#pragma unroll
      for (int k = 0; k < 4; ++k) sums_[i][k] += four[k];
    }
  }
  __device__ void take(const MeanOfTaps& other) {
#pragma unroll
    for (int i = 0; i < kVector; ++i) sums_[i / 4][i % 4] += other.sums_[i / 4][i % 4];
  }

  /// `taps`: those inside the image.
  __device__ void finish(const StoredLevels& /*levels*/, int taps,
                         float (&v)[kVector / 4][4]) const {
    const float share = 1.0F / static_cast<float>(taps);
#pragma unroll
    for (int i = 0; i < kVector; ++i) v[i / 4][i % 4] = sums_[i / 4][i % 4] * share;
  }

 private:
  float sums_[kVector / 4][4] = {};
};

template <typename T, bool IsMax>
using Taps = std::conditional_t<IsMax, LargestTap<T>, MeanOfTaps<T>>;

}  // namespace chexnet_trt::cuda
