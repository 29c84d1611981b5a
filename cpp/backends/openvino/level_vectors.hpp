#pragma once

// What the kernels of 8-bit levels have in common, for AVX-512. Included where the compiler has x86.

#include <immintrin.h>

#include <cstdint>

namespace chexnet_trt::openvino {

#define CHEXNET_TRT_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))

// Steps are masked where the headers of GCC 12 warn of themselves in those that are not.
constexpr __mmask16 kAllLanes = 0xFFFF;

/// Packing interleaves the quarters of its operands: this puts them back.
CHEXNET_TRT_AVX512 inline __m512i in_order(__m512i packed) {
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  return _mm512_maskz_permutexvar_epi32(kAllLanes, order, packed);
}

/// 64 integers as levels, kept within 0..255, in the order of the vectors.
CHEXNET_TRT_AVX512 inline __m512i levels_of(__m512i a, __m512i b, __m512i c, __m512i d) {
  return in_order(_mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
}

/// The same, kept within -128..127.
CHEXNET_TRT_AVX512 inline __m512i signed_levels_of(__m512i a, __m512i b, __m512i c, __m512i d) {
  return in_order(_mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
}

/// Stores the first half of `levels` at `to`, the second at `next` unless that is nullptr.
CHEXNET_TRT_AVX512 inline void store_halves(__m512i levels, void* to, void* next) {
  constexpr __mmask16 kFirst = 0x00FF;
  _mm512_mask_storeu_epi32(to, kFirst, levels);
  if (next == nullptr) return;
  constexpr __mmask8 kAll = 0xFF;
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(next),
                      _mm512_maskz_extracti64x4_epi64(kAll, levels, 1));
}

}  // namespace chexnet_trt::openvino
