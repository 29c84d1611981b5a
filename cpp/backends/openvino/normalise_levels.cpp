#include "backends/openvino/normalise_levels.hpp"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__)
#include "backends/openvino/level_vectors.hpp"
#else
#include "common/error.hpp"
#endif

// Written with intrinsics: GCC 12 widens the bytes of a plain loop in steps, from the narrowest type on.

namespace chexnet_trt::openvino {

bool stays_within_int32(const std::vector<float>& scale_and_shift, double largest) {
  constexpr double kMost = 1U << 30U;  // half of int32: float32 rounds on the way
  if (!(largest < kMost)) return false;
  const std::size_t channels = scale_and_shift.size() / 2;
  for (std::size_t c = 0; c < channels; ++c) {
    const double most = std::abs(double{scale_and_shift[c]}) * largest +
                        std::abs(double{scale_and_shift[channels + c]});
    if (!(most < kMost)) return false;
  }
  return true;
}

#if defined(__x86_64__) && defined(__GNUC__)
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kWide = 4 * kLanes;

/// 16 channels, of which `mask` has a bit for those that exist.
struct Lanes {
  __mmask16 mask;
  __m512 scale;
  __m512 shift;
};

CHEXNET_TRT_AVX512 inline Lanes lanes_of(const ChannelNormalisation& by, std::size_t first,
                                         std::size_t channels) {
  const std::size_t left = channels > first ? channels - first : 0;
  const auto mask = static_cast<__mmask16>(left >= kLanes ? 0xFFFFU : (1U << left) - 1U);
  return {mask, _mm512_maskz_loadu_ps(mask, by.scale + first),
          _mm512_maskz_loadu_ps(mask, by.shift + first)};
}

/// scale * level + shift, rounded to zero: what is rounded up is below zero, and becomes 0.
CHEXNET_TRT_AVX512 inline __m512i normal(const Lanes& lanes, const std::int8_t* from) {
  const __mmask16 mask = lanes.mask;
  const __m512i levels = _mm512_maskz_cvtepi8_epi32(mask, _mm_maskz_loadu_epi8(mask, from));
  const __m512 values = _mm512_maskz_cvtepi32_ps(mask, levels);
  return _mm512_maskz_cvttps_epi32(mask,
                                   _mm512_maskz_fmadd_ps(mask, values, lanes.scale, lanes.shift));
}

/// 64 channels of each pixel.
CHEXNET_TRT_AVX512 void normalise_wide(const std::int8_t* from, std::size_t pixels,
                                       std::size_t channels, const ChannelNormalisation& by,
                                       std::uint8_t* to, std::size_t to_stride) {
  const Lanes a = lanes_of(by, 0, kWide);
  const Lanes b = lanes_of(by, kLanes, kWide);
  const Lanes c = lanes_of(by, 2 * kLanes, kWide);
  const Lanes d = lanes_of(by, 3 * kLanes, kWide);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel, from += channels, to += to_stride) {
    _mm512_storeu_si512(to, levels_of(normal(a, from), normal(b, from + kLanes),
                                      normal(c, from + 2 * kLanes), normal(d, from + 3 * kLanes)));
  }
}

/// 32 channels of each pixel, of two pixels at once.
CHEXNET_TRT_AVX512 void normalise_pairs(const std::int8_t* from, std::size_t pixels,
                                        std::size_t channels, const ChannelNormalisation& by,
                                        std::uint8_t* to, std::size_t to_stride) {
  const Lanes a = lanes_of(by, 0, kWide / 2);
  const Lanes b = lanes_of(by, kLanes, kWide / 2);
  for (std::size_t pixel = 0; pixel < pixels; pixel += 2) {
    const bool has_next = pixel + 1 < pixels;
    const std::int8_t* next = has_next ? from + channels : from;
    const __m512i levels = levels_of(normal(a, from), normal(b, from + kLanes), normal(a, next),
                                     normal(b, next + kLanes));
    store_halves(levels, to, has_next ? to + to_stride : nullptr);
    from += 2 * channels;
    to += 2 * to_stride;
  }
}

/// Up to 16 channels of each pixel.
CHEXNET_TRT_AVX512 void normalise_narrow(const std::int8_t* from, std::size_t pixels,
                                         std::size_t channels, const ChannelNormalisation& by,
                                         std::size_t count, std::uint8_t* to,
                                         std::size_t to_stride) {
  const Lanes lanes = lanes_of(by, 0, count);
  const __m512i zero = _mm512_setzero_si512();
  for (std::size_t pixel = 0; pixel < pixels; ++pixel, from += channels, to += to_stride) {
    const __m512i levels = levels_of(normal(lanes, from), zero, zero, zero);
    _mm512_mask_storeu_epi8(to, lanes.mask, levels);
  }
}

}  // namespace

bool can_normalise_levels() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}

void normalise_levels(const std::int8_t* from, std::size_t pixels, std::size_t channels,
                      const ChannelNormalisation& by, std::uint8_t* to, std::size_t to_stride) {
  std::size_t first = 0;
  const auto rest = [&] { return ChannelNormalisation{by.scale + first, by.shift + first}; };
  for (; first + kWide <= channels; first += kWide) {
    normalise_wide(from + first, pixels, channels, rest(), to + first, to_stride);
  }
  for (; first + kWide / 2 <= channels; first += kWide / 2) {
    normalise_pairs(from + first, pixels, channels, rest(), to + first, to_stride);
  }
  for (; first < channels; first += kLanes) {
    const std::size_t count = std::min(kLanes, channels - first);
    normalise_narrow(from + first, pixels, channels, rest(), count, to + first, to_stride);
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
