#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "backends/cuda/kernels/kernels.hpp"

// Loads, stores and the epilogue that every kernel ends in, over kVector consecutive channels.

namespace chexnet_trt::cuda {

/// Channels that a thread handles at once where the alignment permits it.
constexpr int kVector = 8;

/// Waits for the kernels before this one in the stream: nothing of theirs may be touched earlier.
__device__ inline void wait_for_predecessors() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// Lets the next kernel of the stream be launched, which then waits in `wait_for_predecessors`.
__device__ inline void release_successor() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

template <int Bytes>
struct Raw;
template <>
struct Raw<32> {
  uint4 a, b;
};
template <>
struct Raw<16> {
  uint4 a;
};
template <>
struct Raw<8> {
  uint2 a;
};
template <>
struct Raw<4> {
  unsigned a;
};
template <>
struct Raw<2> {
  unsigned short a;
};
template <>
struct Raw<1> {
  unsigned char a;
};

__device__ inline float to_float(float v) { return v; }
__device__ inline float to_float(__half v) { return __half2float(v); }
__device__ inline float to_float(__nv_bfloat16 v) { return __bfloat162float(v); }
__device__ inline float to_float(signed char v) { return static_cast<float>(v); }
__device__ inline float to_float(unsigned char v) { return static_cast<float>(v); }

__device__ inline void from_float(float v, float& out) { out = v; }
__device__ inline void from_float(float v, __half& out) { out = __float2half_rn(v); }
__device__ inline void from_float(float v, __nv_bfloat16& out) { out = __float2bfloat16_rn(v); }
/// Rounds half to even and saturates.
__device__ inline void from_float(float v, signed char& out) {
  out = static_cast<signed char>(max(-128, min(127, __float2int_rn(v))));
}
__device__ inline void from_float(float v, unsigned char& out) {
  out = static_cast<unsigned char>(max(0, min(255, __float2int_rn(v))));
}

template <typename T, int Count>
__device__ inline void load_as(const void* data, std::int64_t index, float scale,
                               float (&v)[Count]) {
  union {
    Raw<sizeof(T) * Count> raw;
    T items[Count];
  } words;
  words.raw = *reinterpret_cast<const Raw<sizeof(T) * Count>*>(static_cast<const T*>(data) + index);
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] = to_float(words.items[i]) * scale;
}

template <typename T, int Count>
__device__ inline void store_as(void* data, std::int64_t index, float inverse,
                                const float (&v)[Count]) {
  union {
    Raw<sizeof(T) * Count> raw;
    T items[Count];
  } words;
#pragma unroll
  for (int i = 0; i < Count; ++i) from_float(v[i] * inverse, words.items[i]);
  *reinterpret_cast<Raw<sizeof(T) * Count>*>(static_cast<T*>(data) + index) = words.raw;
}

/// v[i] = element `index + i`, as a real number.
template <int Count>
__device__ inline void load(const DeviceValue& value, std::int64_t index, float (&v)[Count]) {
  switch (value.element) {
    case ElementType::kFloat16: return load_as<__half>(value.data, index, 1.0F, v);
    case ElementType::kBFloat16: return load_as<__nv_bfloat16>(value.data, index, 1.0F, v);
    case ElementType::kInt8: return load_as<signed char>(value.data, index, value.scale, v);
    case ElementType::kUInt8: return load_as<unsigned char>(value.data, index, value.scale, v);
    default: return load_as<float>(value.data, index, 1.0F, v);
  }
}

template <int Count>
__device__ inline void store(const DeviceValue& value, std::int64_t index,
                             const float (&v)[Count]) {
  const float inverse = value.inverse;
  switch (value.element) {
    case ElementType::kFloat16: return store_as<__half>(value.data, index, 1.0F, v);
    case ElementType::kBFloat16: return store_as<__nv_bfloat16>(value.data, index, 1.0F, v);
    case ElementType::kInt8: return store_as<signed char>(value.data, index, inverse, v);
    case ElementType::kUInt8: return store_as<unsigned char>(value.data, index, inverse, v);
    default: return store_as<float>(value.data, index, 1.0F, v);
  }
}

/// The real number that stays of `v` once it is stored in 8 bits.
__device__ inline float rounded(const DeviceValue& value, float v) {
  if (value.element == ElementType::kInt8) {
    signed char stored;
    from_float(v * value.inverse, stored);
    return stored * value.scale;
  }
  if (value.element == ElementType::kUInt8) {
    unsigned char stored;
    from_float(v * value.inverse, stored);
    return stored * value.scale;
  }
  return v;
}

/// Formulas of graph/attributes.hpp's ActivationKind.
__device__ __noinline__ inline float activated(DeviceActivation activation, float v) {
  constexpr float kSeluAlpha = 1.6732632423543772848170429916717F;
  constexpr float kSeluScale = 1.0507009873554804934193349852946F;
  switch (static_cast<ActivationKind>(activation.kind)) {
    case ActivationKind::kRelu: return fmaxf(v, 0.0F);
    case ActivationKind::kRelu6: return fminf(fmaxf(v, 0.0F), 6.0F);
    case ActivationKind::kSigmoid: return 1.0F / (1.0F + expf(-v));
    case ActivationKind::kTanh: return tanhf(v);
    case ActivationKind::kElu: return v > 0 ? v : expm1f(v);
    case ActivationKind::kSelu: return kSeluScale * (v > 0 ? v : kSeluAlpha * expm1f(v));
    case ActivationKind::kSoftsign: return v / (1.0F + fabsf(v));
    case ActivationKind::kSoftplus: return v > 20.0F ? v : log1pf(expf(v));
    case ActivationKind::kLeakyRelu: return v > 0 ? v : activation.alpha * v;
    default: return v;
  }
}

template <int Count>
__device__ inline void activate(DeviceActivation activation, float (&v)[Count]) {
  if (activation.kind < 0) return;
  if (activation.kind == static_cast<int>(ActivationKind::kRelu)) {
#pragma unroll
    for (int i = 0; i < Count; ++i) v[i] = fmaxf(v[i], 0.0F);
    return;
  }
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] = activated(activation, v[i]);
}

template <int Count>
__device__ inline void scale_and_shift(const float* mul, const float* add, int channel,
                                       float (&v)[Count]) {
  float factors[Count];
  float shifts[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) factors[i] = 1.0F;
#pragma unroll
  for (int i = 0; i < Count; ++i) shifts[i] = 0.0F;
  if (mul != nullptr) load_as<float>(mul, channel, 1.0F, factors);
  if (add != nullptr) load_as<float>(add, channel, 1.0F, shifts);
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] = v[i] * factors[i] + shifts[i];
}

/// The epilogue of `Count` channels from `channel` on of pixel `pixel`.
template <int Count>
__device__ inline void run_epilogue(const DeviceEpilogue& epilogue, std::int64_t pixel, int channel,
                                    float (&v)[Count]) {
  scale_and_shift(epilogue.mul, epilogue.add, channel, v);
  activate(epilogue.activation, v);
  if (epilogue.residual.data != nullptr) {
    float residual[Count];
    load(epilogue.residual, pixel * epilogue.residual.pitch + channel, residual);
#pragma unroll
    for (int i = 0; i < Count; ++i) v[i] += residual[i];
    activate(epilogue.activation_after, v);
  }
  if (epilogue.output.data != nullptr) {
    store(epilogue.output, pixel * epilogue.output.pitch + channel, v);
  }
  if (epilogue.second.data == nullptr) return;
#pragma unroll
  for (int i = 0; i < Count; ++i) v[i] = rounded(epilogue.output, v[i]);
  scale_and_shift(epilogue.second_mul, epilogue.second_add, channel, v);
  activate(epilogue.second_activation, v);
  store(epilogue.second, pixel * epilogue.second.pitch + channel, v);
}

/// `run_epilogue` of those of `count` channels that lie below `channels`, one by one. Rare, and kept
/// out of the way of the compiler's registers.
__device__ __noinline__ inline void run_epilogue_tail(const DeviceEpilogue& epilogue,
                                                      std::int64_t pixel, int channel, int channels,
                                                      const float* v, int count) {
  for (int i = 0; i < count && channel + i < channels; ++i) {
    float one[1] = {v[i]};
    run_epilogue(epilogue, pixel, channel + i, one);
  }
}

}  // namespace chexnet_trt::cuda
