#include "backends/openvino/level_storing.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include "backends/openvino/level_vectors.hpp"
#else
#include "common/error.hpp"
#endif

namespace chexnet_trt::openvino {

#if defined(__x86_64__) && defined(__linux__)
namespace {

constexpr std::size_t kLanes = 16;

/// What 16 columns are scaled by.
struct Columns {
  __m512 scale;
  __m512 shift;
};

CHEXNET_TRT_AVX512 inline Columns columns_of(const ColumnScale& by, std::size_t first) {
  return {_mm512_loadu_ps(by.scale + first), _mm512_loadu_ps(by.shift + first)};
}

CHEXNET_TRT_AVX512 inline __m512 scaled(const Columns& by, const std::int32_t* sums) {
  const __m512 values = _mm512_maskz_cvtepi32_ps(kAllLanes, _mm512_loadu_si512(sums));
  return _mm512_maskz_fmadd_ps(kAllLanes, values, by.scale, by.shift);
}

CHEXNET_TRT_AVX512 inline __m512 added_to(__m512 values, __m512 scale, const std::int8_t* levels) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels));
  const __m512 more =
      _mm512_maskz_cvtepi32_ps(kAllLanes, _mm512_maskz_cvtepi8_epi32(kAllLanes, bytes));
  return _mm512_maskz_fmadd_ps(kAllLanes, more, scale, values);
}

CHEXNET_TRT_AVX512 inline __m512i rounded(__m512 values) {
  return _mm512_maskz_cvtps_epi32(kAllLanes, values);
}

/// Two rows of 32 levels, or one.
CHEXNET_TRT_AVX512 inline void store_rows(__m512i a, __m512i b, __m512i c, __m512i d,
                                          const StoredLevels& to, bool has_next) {
  const __m512i levels = to.is_signed ? signed_levels_of(a, b, c, d) : levels_of(a, b, c, d);
  store_halves(levels, to.levels, has_next ? to.levels + to.stride : nullptr);
}

}  // namespace

CHEXNET_TRT_AVX512 void store_levels(const std::int32_t* sums, std::size_t rows,
                                     const ColumnScale& by, StoredLevels to) {
  const Columns left = columns_of(by, 0);
  const Columns right = columns_of(by, kLanes);
  for (std::size_t row = 0; row < rows; row += 2, sums += 2 * kProductColumns) {
    const std::int32_t* next = sums + kProductColumns;
    store_rows(rounded(scaled(left, sums)), rounded(scaled(right, sums + kLanes)),
               rounded(scaled(left, next)), rounded(scaled(right, next + kLanes)), to,
               row + 1 < rows);
    to.levels += 2 * to.stride;
  }
}

CHEXNET_TRT_AVX512 void store_levels(const std::int32_t* sums, std::size_t rows,
                                     const ColumnScale& by, const AddedLevels& added,
                                     StoredLevels to) {
  const Columns left = columns_of(by, 0);
  const Columns right = columns_of(by, kLanes);
  const __m512 left_scale = _mm512_loadu_ps(added.scale);
  const __m512 right_scale = _mm512_loadu_ps(added.scale + kLanes);
  const std::int8_t* levels = added.levels;
  for (std::size_t row = 0; row < rows; row += 2, sums += 2 * kProductColumns) {
    const bool has_next = row + 1 < rows;
    const std::int32_t* next = sums + kProductColumns;
    const std::int8_t* more = has_next ? levels + added.stride : levels;
    store_rows(rounded(added_to(scaled(left, sums), left_scale, levels)),
               rounded(added_to(scaled(right, sums + kLanes), right_scale, levels + kLanes)),
               rounded(added_to(scaled(left, next), left_scale, more)),
               rounded(added_to(scaled(right, next + kLanes), right_scale, more + kLanes)), to,
               has_next);
    to.levels += 2 * to.stride;
    levels += 2 * added.stride;
  }
}

#else

namespace {

constexpr const char* kAbsent = "8-bit levels are stored with AVX-512 alone";

}  // namespace

void store_levels(const std::int32_t*, std::size_t, const ColumnScale&, StoredLevels) {
  throw Error(kAbsent);
}

void store_levels(const std::int32_t*, std::size_t, const ColumnScale&, const AddedLevels&,
                  StoredLevels) {
  throw Error(kAbsent);
}

#endif

}  // namespace chexnet_trt::openvino
