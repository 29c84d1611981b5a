#pragma once

#include <type_traits>

#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/launch.cuh"

// Eight stored numbers as one word or two, by the element type of a network. Conversions of 8-bit
// numbers go through the mantissa of floats: the conversion units are slower than the others.

namespace chexnet_trt::cuda {

/// Everything is stored as T, or (T being signed or unsigned char) as int8 or uint8. A level is the
/// stored number, of which 8-bit values have `scale` in the real one. `pack` takes levels and leaves
/// them rounded.
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

  __device__ static void unpack(const DeviceValue& value, Raw raw, float (&v)[kVector]) {
    unpack_levels(value, raw, v);
#pragma unroll
    for (int i = 0; i < kVector; ++i) v[i] *= value.scale;
  }

  /// Byte b of a word is the mantissa of 2^23 + b; with its top bit flipped, int8 is b - 128.
  __device__ static void unpack_levels(const DeviceValue& value, Raw raw, float (&v)[kVector]) {
    const bool is_signed = value.element == ElementType::kInt8;
    const unsigned flip = is_signed ? 0x80808080U : 0U;
    const float zero = is_signed ? 8388608.0F + 128.0F : 8388608.0F;
    const unsigned words[2] = {raw.a.x ^ flip, raw.a.y ^ flip};
#pragma unroll
    for (int i = 0; i < kVector; ++i) {
      const unsigned bits = __byte_perm(words[i / 4], 0x4B000000U, 0x7540U + i % 4);
      v[i] = __uint_as_float(bits) - zero;
    }
  }

  /// Adding 1.5 * 2^23 rounds half to even and leaves the integer in the low bits.
  __device__ static Raw pack(const DeviceValue& value, float (&v)[kVector]) {
    constexpr float kMagic = 12582912.0F;
    const bool is_signed = value.element == ElementType::kInt8;
    const float low = is_signed ? -128.0F : 0.0F;
    const float high = is_signed ? 127.0F : 255.0F;
    unsigned bits[kVector];
#pragma unroll
    for (int i = 0; i < kVector; ++i) {
      const float shifted = fminf(fmaxf(v[i], low), high) + kMagic;
      bits[i] = __float_as_uint(shifted);
      v[i] = shifted - kMagic;
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

/// True where a value can be read and written as Packed<T>, whole vectors of channels at a time.
template <typename T>
bool is_packed(const DeviceValue& value) {
  if (value.data == nullptr) return true;
  const bool is_8_bit = value.element == ElementType::kInt8 || value.element == ElementType::kUInt8;
  const bool fits = sizeof(T) == 1                     ? is_8_bit
                    : std::is_same_v<T, __half>        ? value.element == ElementType::kFloat16
                    : std::is_same_v<T, __nv_bfloat16> ? value.element == ElementType::kBFloat16
                                                       : value.element == ElementType::kFloat32;
  return fits && is_vector_aligned(value);
}

inline bool is_floor(const DeviceActivation& activation) {
  return activation.kind < 0 || activation.kind == static_cast<int>(ActivationKind::kRelu);
}

/// The same of an epilogue, whose activations are relu or none.
template <typename T>
bool is_packed(const DeviceEpilogue& epilogue, int channels) {
  return channels % kVector == 0 && is_floor(epilogue.activation) &&
         is_floor(epilogue.activation_after) && is_floor(epilogue.second_activation) &&
         is_packed<T>(epilogue.residual) && is_packed<T>(epilogue.output) &&
         is_packed<T>(epilogue.second);
}

/// The scales and shifts of kVector channels.
struct AffineVector {
  float mul[kVector];
  float add[kVector];

  __device__ void apply(float floor, float (&v)[kVector]) const {
#pragma unroll
    for (int i = 0; i < kVector; ++i) v[i] = fmaxf(v[i] * mul[i] + add[i], floor);
  }
};

template <typename T>
__device__ inline typename Packed<T>::Raw read_packed(const DeviceValue& value,
                                                      std::int64_t index) {
  return *reinterpret_cast<const typename Packed<T>::Raw*>(static_cast<const T*>(value.data) +
                                                           index);
}

template <typename T>
__device__ inline void write_packed(const DeviceValue& value, std::int64_t index,
                                    typename Packed<T>::Raw raw) {
  *reinterpret_cast<typename Packed<T>::Raw*>(static_cast<T*>(value.data) + index) = raw;
}

/// What the affines of an epilogue are multiplied by for `run_packed_epilogue`, so that the first
/// yields levels of the output and the second, from those, levels of the second output.
struct LevelFactors {
  float first;  ///< of mul and add
  float second_mul;
  float second_add;
  __device__ explicit LevelFactors(const DeviceEpilogue& epilogue)
      : first(epilogue.output.inverse),
        second_mul(epilogue.output.scale * epilogue.second.inverse),
        second_add(epilogue.second.inverse) {}
};

/// `run_epilogue` where everything is packed (is_packed); `Affines` gives the AffineVector of the
/// first and of the second output, with their LevelFactors.
template <typename T, typename Affines>
__device__ inline void run_packed_epilogue(const DeviceEpilogue& epilogue, std::int64_t pixel,
                                           int channel, typename Packed<T>::Raw residual,
                                           const Affines& affines, float (&v)[kVector]) {
  affines.first().apply(epilogue.activation.floor, v);
  if (epilogue.residual.data != nullptr) {
    float added[kVector];
    const float levels = epilogue.residual.scale * epilogue.output.inverse;
    if constexpr (sizeof(T) == 1) {
      Packed<T>::unpack_levels(epilogue.residual, residual, added);
    } else {
      Packed<T>::unpack(epilogue.residual, residual, added);
    }
#pragma unroll
    for (int i = 0; i < kVector; ++i) {
      v[i] = fmaxf(v[i] + added[i] * levels, epilogue.activation_after.floor);
    }
  }
  const bool is_rounded = epilogue.output.element == ElementType::kInt8 ||
                          epilogue.output.element == ElementType::kUInt8;
  if (epilogue.output.data != nullptr || (sizeof(T) == 1 && is_rounded)) {
    const typename Packed<T>::Raw raw = Packed<T>::pack(epilogue.output, v);
    if (epilogue.output.data != nullptr) {
      write_packed<T>(epilogue.output, pixel * epilogue.output.pitch + channel, raw);
    }
  }
  if (epilogue.second.data == nullptr) return;
  affines.second().apply(epilogue.second_activation.floor, v);
  write_packed<T>(epilogue.second, pixel * epilogue.second.pitch + channel,
                  Packed<T>::pack(epilogue.second, v));
}

}  // namespace chexnet_trt::cuda
