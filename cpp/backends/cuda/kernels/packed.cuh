#pragma once

#include "backends/cuda/kernels/device_math.cuh"

// Eight stored numbers as one word or two, by the element type of a network. Conversions of 8-bit
// numbers go through the mantissa of floats: the conversion units are slower than the others.

namespace chexnet_trt::cuda {

/// Everything is stored as T, or (T being signed or unsigned char) as int8 or uint8.
template <typename T>
struct Packed;

template <>
struct Packed<float> {
  using Raw = chexnet_trt::cuda::Raw<32>;
  __device__ static void unpack(const DeviceValue& /*value*/, Raw raw, float (&v)[kVector]) {
    const uint4 words[2] = {raw.a, raw.b};
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      v[i * 4] = __uint_as_float(words[i].x);
      v[i * 4 + 1] = __uint_as_float(words[i].y);
      v[i * 4 + 2] = __uint_as_float(words[i].z);
      v[i * 4 + 3] = __uint_as_float(words[i].w);
    }
  }
  __device__ static Raw pack(const DeviceValue& /*value*/, float (&v)[kVector]) {
    const auto word = [&](int i) {
      return make_uint4(__float_as_uint(v[i]), __float_as_uint(v[i + 1]), __float_as_uint(v[i + 2]),
                        __float_as_uint(v[i + 3]));
    };
    return {word(0), word(4)};
  }
};

template <>
struct Packed<__half> {
  using Raw = chexnet_trt::cuda::Raw<16>;
  __device__ static void unpack(const DeviceValue& /*value*/, Raw raw, float (&v)[kVector]) {
    const auto* pairs = reinterpret_cast<const __half2*>(&raw);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float2 pair = __half22float2(pairs[i]);
      v[i * 2] = pair.x;
      v[i * 2 + 1] = pair.y;
    }
  }
  __device__ static Raw pack(const DeviceValue& /*value*/, float (&v)[kVector]) {
    Raw raw;
    auto* pairs = reinterpret_cast<__half2*>(&raw);
#pragma unroll
    for (int i = 0; i < 4; ++i) pairs[i] = __floats2half2_rn(v[i * 2], v[i * 2 + 1]);
    return raw;
  }
};

template <>
struct Packed<__nv_bfloat16> {
  using Raw = chexnet_trt::cuda::Raw<16>;
  __device__ static void unpack(const DeviceValue& /*value*/, Raw raw, float (&v)[kVector]) {
    const auto* pairs = reinterpret_cast<const __nv_bfloat162*>(&raw);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float2 pair = __bfloat1622float2(pairs[i]);
      v[i * 2] = pair.x;
      v[i * 2 + 1] = pair.y;
    }
  }
  __device__ static Raw pack(const DeviceValue& /*value*/, float (&v)[kVector]) {
    Raw raw;
    auto* pairs = reinterpret_cast<__nv_bfloat162*>(&raw);
#pragma unroll
    for (int i = 0; i < 4; ++i) pairs[i] = __floats2bfloat162_rn(v[i * 2], v[i * 2 + 1]);
    return raw;
  }
};

template <>
struct Packed<signed char> {
  using Raw = chexnet_trt::cuda::Raw<8>;

  /// Byte b of a word is the mantissa of 2^23 + b; with its top bit flipped, int8 is b - 128.
  __device__ static void unpack(const DeviceValue& value, Raw raw, float (&v)[kVector]) {
    const bool is_signed = value.element == ElementType::kInt8;
    const unsigned flip = is_signed ? 0x80808080U : 0U;
    const float zero = is_signed ? 8388608.0F + 128.0F : 8388608.0F;
    const unsigned words[2] = {raw.a.x ^ flip, raw.a.y ^ flip};
#pragma unroll
    for (int i = 0; i < kVector; ++i) {
      const unsigned bits = __byte_perm(words[i / 4], 0x4B000000U, 0x7540U + i % 4);
      v[i] = (__uint_as_float(bits) - zero) * value.scale;
    }
  }

  /// Leaves in `v` what the stored numbers stand for. Adding 1.5 * 2^23 rounds half to even and
  /// leaves the integer in the low bits.
  __device__ static Raw pack(const DeviceValue& value, float (&v)[kVector]) {
    constexpr float kMagic = 12582912.0F;
    const bool is_signed = value.element == ElementType::kInt8;
    const float low = is_signed ? -128.0F : 0.0F;
    const float high = is_signed ? 127.0F : 255.0F;
    const float inverse = 1.0F / value.scale;
    unsigned bits[kVector];
#pragma unroll
    for (int i = 0; i < kVector; ++i) {
      const float shifted = fminf(fmaxf(v[i] * inverse, low), high) + kMagic;
      bits[i] = __float_as_uint(shifted);
      v[i] = (shifted - kMagic) * value.scale;
    }
    const auto word = [&](int i) {
      return __byte_perm(__byte_perm(bits[i], bits[i + 1], 0x0040),
                         __byte_perm(bits[i + 2], bits[i + 3], 0x0040), 0x5410);
    };
    return {make_uint2(word(0), word(4))};
  }
};

template <>
struct Packed<unsigned char> : Packed<signed char> {};

template <typename T>
__device__ inline typename Packed<T>::Raw read_packed(const DeviceValue& value, std::int64_t index) {
  return *reinterpret_cast<const typename Packed<T>::Raw*>(static_cast<const T*>(value.data) +
                                                           index);
}

template <typename T>
__device__ inline void write_packed(const DeviceValue& value, std::int64_t index,
                                    typename Packed<T>::Raw raw) {
  *reinterpret_cast<typename Packed<T>::Raw*>(static_cast<T*>(value.data) + index) = raw;
}

}  // namespace chexnet_trt::cuda
