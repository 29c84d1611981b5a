#include "backends/openvino/normalise_levels.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#else
#include "common/error.hpp"
#endif

// Written with intrinsics: of the plain loop, GCC 12 makes code that takes 2.4 times as long, because it
// widens bytes in steps and from the narrowest type.

namespace chexnet_trt::openvino {

#if defined(__x86_64__) && defined(__GNUC__)
namespace {

#define CHEXNET_TRT_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))

/// 16 channels, of which `mask` has a bit for those that exist.
struct Lanes {
  __mmask16 mask;
  __m512 scale;
  __m512 shift;
};

CHEXNET_TRT_AVX512 inline Lanes lanes_of(const ChannelNormalisation& by, std::size_t first,
                                         std::size_t channels) {
  const std::size_t left = channels > first ? channels - first : 0;
  const auto mask = static_cast<__mmask16>(left >= 16 ? 0xFFFFU : (1U << left) - 1U);
  return {mask, _mm512_maskz_loadu_ps(mask, by.scale + first),
          _mm512_maskz_loadu_ps(mask, by.shift + first)};
}

/// Saturation to 255 is unsigned, so a value beyond int32, which is converted to 2^31, saturates too.
/// All steps are masked: the headers of GCC 12 warn of themselves in those that are not.
CHEXNET_TRT_AVX512 inline void normalise(const Lanes& lanes, const std::int8_t* from,
                                         std::uint8_t* to) {
  const __mmask16 mask = lanes.mask;
  const __m512i levels = _mm512_maskz_cvtepi8_epi32(mask, _mm_maskz_loadu_epi8(mask, from));
  const __m512 values = _mm512_maskz_cvtepi32_ps(mask, levels);
  const __m512 normal = _mm512_maskz_fmadd_ps(mask, values, lanes.scale, lanes.shift);
  const __m512 positive = _mm512_maskz_max_ps(mask, normal, _mm512_setzero_ps());
  const __m512i floors = _mm512_maskz_cvttps_epi32(mask, positive);
  _mm_mask_storeu_epi8(to, mask, _mm512_maskz_cvtusepi32_epi8(mask, floors));
}

}  // namespace

bool can_normalise_levels() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}

CHEXNET_TRT_AVX512 void normalise_levels(const std::int8_t* from, std::size_t pixels,
                                         std::size_t channels, const ChannelNormalisation& by,
                                         std::uint8_t* to, std::size_t to_stride) {
  for (std::size_t first = 0; first < channels; first += 32) {
    const Lanes low = lanes_of(by, first, channels);
    const Lanes high = lanes_of(by, first + 16, channels);
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      const std::int8_t* source = from + pixel * channels + first;
      std::uint8_t* target = to + pixel * to_stride + first;
      normalise(low, source, target);
      normalise(high, source + 16, target + 16);
    }
  }
}

#else

bool can_normalise_levels() { return false; }

void normalise_levels(const std::int8_t*, std::size_t, std::size_t, const ChannelNormalisation&,
                      std::uint8_t*, std::size_t) {
  throw Error("8-bit levels are normalised with AVX-512 alone");
}

#endif

}  // namespace chexnet_trt::openvino
