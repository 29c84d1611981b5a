#pragma once

#include <algorithm>
#include <limits>
#include <type_traits>

#include "backends/cuda/kernels/device_math.cuh"
#include "backends/cuda/kernels/packed_epilogue.hpp"

// The epilogue where everything is stored as one type, four channels at a time. The multiplication
// that ends in a unit (packed_epilogue.hpp) saturates it at no cost; the one that leaves it adds
// 1.5 * 2^23, which rounds half to even and puts the level in the low byte. Conversion instructions
// would be slower.

namespace chexnet_trt::cuda {

constexpr float kRoundingMagic = 12582912.0F;  ///< 1.5 * 2^23

template <typename T>
constexpr bool kIsLevel = sizeof(T) == 1;

/// Four numbers as they are stored, of T: int8 and uint8 alike for signed or unsigned char.
template <typename T, int Count = 4>
struct alignas(Count * sizeof(T) < 16 ? Count * sizeof(T) : 16) PackedRun {
  unsigned words[Count * sizeof(T) / 4];
};

template <typename T, int Count = 4>
__device__ inline PackedRun<T, Count> read_packed(const DeviceValue& value, std::int64_t index) {
  return *reinterpret_cast<const PackedRun<T, Count>*>(static_cast<const T*>(value.data) + index);
}

template <typename T, int Count = 4>
__device__ inline void write_packed(const DeviceValue& value, std::int64_t index,
                                    const PackedRun<T, Count>& run) {
  *reinterpret_cast<PackedRun<T, Count>*>(static_cast<T*>(value.data) + index) = run;
}

/// The parts of a run of channels as one.
template <typename T, int Count>
struct RunOf {
  PackedRun<T, Count> run{};
  static constexpr int kWords = static_cast<int>(sizeof(T));  ///< of a part

  __device__ PackedRun<T> part(int index) const {
    PackedRun<T> four;
#pragma unroll
    for (int i = 0; i < kWords; ++i) four.words[i] = run.words[index * kWords + i];
    return four;
  }
  __device__ void set(int index, const PackedRun<T>& four) {
#pragma unroll
    for (int i = 0; i < kWords; ++i) run.words[index * kWords + i] = four.words[i];
  }
};

/// Scales and shifts of four channels, in units.
struct AffineFour {
  float4 mul;
  float4 add;
  float4 second_mul;
  float4 second_add;
};

/// Floats between the rows of DeviceEpilogue::units.
__host__ __device__ inline int units_pitch(int channels) { return (channels + 3) / 4 * 4; }

__device__ inline AffineFour affine_four(const float* units, int pitch, int channel) {
  const auto row = [&](int index) {
    return *reinterpret_cast<const float4*>(units + index * pitch + channel);
  };
  return {row(0), row(1), row(2), row(3)};
}

__device__ inline void scale_and_shift(const float4& mul, const float4& add, float (&v)[4]) {
  v[0] = fmaf(v[0], mul.x, add.x);
  v[1] = fmaf(v[1], mul.y, add.y);
  v[2] = fmaf(v[2], mul.z, add.z);
  v[3] = fmaf(v[3], mul.w, add.w);
}
__device__ inline void saturate(float (&v)[4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) v[i] = __saturatef(v[i]);
}
/// A number that is none stays none.
__device__ inline void raise(float floor, float (&v)[4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) asm("max.NaN.f32 %0, %0, %1;" : "+f"(v[i]) : "f"(floor));
}

/// Four levels in one word.
__device__ inline void unpack_levels(const StoredLevels& levels, unsigned word, float (&v)[4]) {
  const unsigned flipped = word ^ levels.flip;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    v[i] = __uint_as_float(__byte_perm(flipped, 0x4B000000U, 0x7540U + i)) - levels.zero;
  }
}

/// Leaves the levels, counted from the lowest, in `unit`.
__device__ inline unsigned pack_units(const UnitRange& range, float (&unit)[4]) {
  unsigned bits[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float shifted = fmaf(unit[i], range.range, kRoundingMagic);
    bits[i] = __float_as_uint(shifted);
    unit[i] = shifted - kRoundingMagic;
  }
  const unsigned low = __byte_perm(bits[0], bits[1], 0x0040);
  return __byte_perm(low, __byte_perm(bits[2], bits[3], 0x0040), 0x5410) ^ range.flip;
}

template <typename T>
struct FloatPairs;
template <>
struct FloatPairs<__half> {
  using Pair = __half2;
  __device__ static float2 to_floats(Pair pair) { return __half22float2(pair); }
  __device__ static Pair from_floats(float a, float b) { return __floats2half2_rn(a, b); }
};
template <>
struct FloatPairs<__nv_bfloat16> {
  using Pair = __nv_bfloat162;
  __device__ static float2 to_floats(Pair pair) { return __bfloat1622float2(pair); }
  __device__ static Pair from_floats(float a, float b) { return __floats2bfloat162_rn(a, b); }
};

/// Four stored numbers: of 8-bit values their levels.
template <typename T>
__device__ inline void unpack(const StoredLevels& levels, const PackedRun<T>& run, float (&v)[4]) {
  if constexpr (kIsLevel<T>) {
    unpack_levels(levels, run.words[0], v);
  } else if constexpr (std::is_same_v<T, float>) {
#pragma unroll
    for (int i = 0; i < 4; ++i) v[i] = __uint_as_float(run.words[i]);
  } else {
    using Pairs = FloatPairs<T>;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float2 pair =
          Pairs::to_floats(*reinterpret_cast<const typename Pairs::Pair*>(&run.words[i]));
      v[i * 2] = pair.x;
      v[i * 2 + 1] = pair.y;
    }
  }
}

/// Of floating-point types: floored and stored.
template <typename T>
__device__ inline PackedRun<T> pack_floored(float floor, float (&v)[4]) {
  PackedRun<T> run;
  if constexpr (std::is_same_v<T, float>) {
    raise(floor, v);
#pragma unroll
    for (int i = 0; i < 4; ++i) run.words[i] = __float_as_uint(v[i]);
  } else {
    using Pairs = FloatPairs<T>;
    const auto floors = Pairs::from_floats(floor, floor);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const auto pair = __hmax2_nan(Pairs::from_floats(v[i * 2], v[i * 2 + 1]), floors);
      run.words[i] = *reinterpret_cast<const unsigned*>(&pair);
    }
  }
  return run;
}

template <typename T>
struct PackedOutputs {
  PackedRun<T> first;
  PackedRun<T> second;
};

template <typename T>
__device__ inline void add_residual(const PackedEpilogue& packed, const PackedRun<T>& residual,
                                    float (&v)[4]) {
  float added[4];
  unpack<T>(packed.residual_levels, residual, added);
#pragma unroll
  for (int i = 0; i < 4; ++i) v[i] = fmaf(added[i], packed.residual_factor, v[i]);
}

/// What an epilogue does: known to the compiler, so that no branch parts the work on some channels
/// from that on the next ones.
template <bool HasResidual, bool HasSecond, bool Rounds>
struct EpilogueForm {
  static constexpr bool kHasResidual = HasResidual;
  static constexpr bool kHasSecond = HasSecond;
  static constexpr bool kRounds = Rounds;  ///< the output has 8 bits, stored or not
};

__host__ __device__ inline bool is_level(ElementType element) {
  return element == ElementType::kInt8 || element == ElementType::kUInt8;
}

/// `function(form)` with the EpilogueForm of an epilogue that stores T. Of 8-bit values only an
/// output that nobody reads is not rounded, so then there is a second one.
template <typename T, typename Function>
__device__ inline void with_form(const PackedEpilogue& packed, Function function) {
  const bool has_residual = packed.epilogue.residual.data != nullptr;
  const bool has_second = packed.epilogue.second.data != nullptr;
  if constexpr (kIsLevel<T>) {
    if (!is_level(packed.epilogue.output.element)) {
      if (has_residual) return function(EpilogueForm<true, true, false>());
      return function(EpilogueForm<false, true, false>());
    }
  }
  if (has_residual) {
    if (has_second) return function(EpilogueForm<true, true, kIsLevel<T>>());
    return function(EpilogueForm<true, false, kIsLevel<T>>());
  }
  if (has_second) return function(EpilogueForm<false, true, kIsLevel<T>>());
  function(EpilogueForm<false, false, kIsLevel<T>>());
}

/// The epilogue of four channels whose sums, or levels, are `v`.
template <typename T, typename Form>
__device__ inline PackedOutputs<T> run_packed_epilogue(const PackedEpilogue& packed,
                                                       const AffineFour& affine,
                                                       const PackedRun<T>& residual,
                                                       float (&v)[4]) {
  PackedOutputs<T> result{};
  scale_and_shift(affine.mul, affine.add, v);
  if constexpr (Form::kHasResidual) {
    raise(packed.floor_before, v);
    add_residual<T>(packed, residual, v);
  }
  if constexpr (Form::kRounds) {
    saturate(v);
    result.first.words[0] = pack_units(packed.range, v);
  } else if constexpr (!kIsLevel<T>) {
    result.first = pack_floored<T>(packed.floor, v);
  }
  if constexpr (Form::kHasSecond) {
    if constexpr (!Form::kRounds) raise(packed.floor, v);
    scale_and_shift(affine.second_mul, affine.second_add, v);
    if constexpr (kIsLevel<T>) {
      saturate(v);
      result.second.words[0] = pack_units(packed.second_range, v);
    } else {
      result.second = pack_floored<T>(packed.second_floor, v);
    }
  }
  return result;
}

/// True where a value can be read and written as Packed<T>, `Count` channels at a time.
template <typename T>
bool is_packed(const DeviceValue& value, int count) {
  const bool fits = sizeof(T) == 1                     ? is_level(value.element)
                    : std::is_same_v<T, __half>        ? value.element == ElementType::kFloat16
                    : std::is_same_v<T, __nv_bfloat16> ? value.element == ElementType::kBFloat16
                                                       : value.element == ElementType::kFloat32;
  const std::size_t bytes = std::min<std::size_t>(static_cast<std::size_t>(count) * sizeof(T), 16);
  return fits && reinterpret_cast<std::uintptr_t>(value.data) % bytes == 0 &&
         static_cast<std::size_t>(value.pitch) * sizeof(T) % bytes == 0;
}

inline bool is_floor(const DeviceActivation& activation) {
  return activation.kind < 0 || activation.kind == static_cast<int>(ActivationKind::kRelu);
}

/// The same of an epilogue, whose activations are relu or none.
template <typename T>
bool is_packed(const DeviceEpilogue& epilogue, int channels, int count) {
  const auto fits = [&](const DeviceValue& value) {
    return value.data == nullptr || is_packed<T>(value, count);
  };
  const bool rounds = is_level(epilogue.output.element);
  return channels % count == 0 && (sizeof(T) == 1 || !rounds) && epilogue.units != nullptr &&
         is_floor(epilogue.activation) && is_floor(epilogue.activation_after) &&
         is_floor(epilogue.second_activation) && fits(epilogue.residual) && fits(epilogue.output) &&
         fits(epilogue.second);
}

}  // namespace chexnet_trt::cuda
