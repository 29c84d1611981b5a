#include "calibration/histogram.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "common/error.hpp"

// One compiled copy of a loop for each vector width, chosen when the library is loaded. That choice
// runs before the sanitizers are up, so they get the plain loop.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHEXNET_TRT_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHEXNET_TRT_SANITIZED
#endif
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(CHEXNET_TRT_SANITIZED)
#define CHEXNET_TRT_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CHEXNET_TRT_VECTOR_CLONES
#endif

namespace chexnet_trt {
namespace {

constexpr std::size_t kChunk = 4096;       // values; the chunk and its indices stay in L1
constexpr std::size_t kFew = 64;           // values; for more, clearing the lanes pays
constexpr std::size_t kBlock = 1U << 30U;  // values; a lane's 32-bit counters cannot overflow
constexpr int kMinExponent = -126;         // the width and its inverse are normal floats
constexpr std::size_t kLanes = 4;
constexpr const char* kNotFinite = "a value is not finite (NaN or infinity)";

// Equal neighbours go to different counters: one waits for no other's store.
using Lanes = std::array<std::array<std::uint32_t, Histogram::kMaxBins>, kLanes>;

struct Extremes {
  std::int32_t min_key;
  std::int32_t max_key;
  std::uint32_t zeros;
};

/// An integer in the order of the floats, -0 below 0; NaN lies beyond the infinities. Its own
/// inverse on bits.
std::int32_t flip(std::int32_t bits) { return bits ^ ((bits >> 31) & 0x7fffffff); }

std::int32_t key_of(const float* value) {
  std::int32_t bits = 0;
  std::memcpy(&bits, value, sizeof(bits));
  return flip(bits);
}

float float_of(std::int32_t key) {
  const std::int32_t bits = flip(key);
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

CHEXNET_TRT_VECTOR_CLONES
Extremes extremes_of(const float* values, std::size_t count) {
  Extremes result{INT32_MAX, INT32_MIN, 0};
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t key = key_of(values + i);
    result.min_key = std::min(result.min_key, key);
    result.max_key = std::max(result.max_key, key);
    result.zeros += key == 0 || key == -1 ? 1U : 0U;
  }
  return result;
}

/// A multiplication by a power of two is exact, and so is the bin.
CHEXNET_TRT_VECTOR_CLONES
void bins_of(const float* values, std::size_t count, float inverse_width, std::uint16_t* bins) {
  for (std::size_t i = 0; i < count; ++i) {
    bins[i] =
        static_cast<std::uint16_t>(static_cast<std::int32_t>(std::fabs(values[i]) * inverse_width));
  }
}

void count_bins(const std::uint16_t* bins, std::size_t count, Lanes& lanes) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) ++lanes[lane][bins[i + lane]];
  }
  for (; i < count; ++i) ++lanes[0][bins[i]];
}

void flush(Lanes& lanes, std::vector<std::uint64_t>& counts) {
  for (auto& lane : lanes) {
    for (std::size_t bin = 0; bin < lane.size(); ++bin) counts[bin] += lane[bin];
    lane.fill(0);
  }
}

/// Of the smallest width with `max_abs` below bin 4096.
int exponent_for(float max_abs) {
  if (max_abs == 0) return kMinExponent;
  int exponent = 0;
  std::frexp(max_abs, &exponent);
  return std::max(exponent - 12, kMinExponent);
}

float largest_magnitude(std::int32_t min_key, std::int32_t max_key) {
  return std::max(std::fabs(float_of(min_key)), std::fabs(float_of(max_key)));
}

}  // namespace

void Histogram::add(const float* values, std::size_t count) {
  if (count <= kFew) return add_few(values, count);
  for (std::size_t start = 0; start < count; start += kBlock) {
    add_block(values + start, std::min(kBlock, count - start));
  }
}

/// The observed extremes of an image are one or two numbers.
void Histogram::add_few(const float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const float magnitude = std::fabs(values[i]);
    if (!std::isfinite(magnitude)) throw InputError(kNotFinite);
    const int exponent = exponent_for(magnitude);
    if (exponent > exponent_) grow(exponent);
    ++counts_[static_cast<std::size_t>(magnitude * std::ldexp(1.0F, -exponent_))];
    const std::int32_t key = key_of(values + i);
    min_key_ = std::min(min_key_, key);
    max_key_ = std::max(max_key_, key);
    zeros_ += magnitude == 0 ? 1U : 0U;
  }
  total_ += count;
}

void Histogram::add_block(const float* values, std::size_t count) {
  Lanes lanes{};
  std::array<std::uint16_t, kChunk> bins{};
  for (std::size_t start = 0; start < count; start += kChunk) {
    const std::size_t size = std::min(kChunk, count - start);
    const Extremes extremes = extremes_of(values + start, size);
    if (!std::isfinite(float_of(extremes.min_key)) || !std::isfinite(float_of(extremes.max_key))) {
      throw InputError(kNotFinite);
    }
    const int exponent = exponent_for(largest_magnitude(extremes.min_key, extremes.max_key));
    if (exponent > exponent_) {
      flush(lanes, counts_);
      grow(exponent);
    }
    bins_of(values + start, size, std::ldexp(1.0F, -exponent_), bins.data());
    count_bins(bins.data(), size, lanes);
    min_key_ = std::min(min_key_, extremes.min_key);
    max_key_ = std::max(max_key_, extremes.max_key);
    zeros_ += extremes.zeros;
    total_ += size;
  }
  flush(lanes, counts_);
}

void Histogram::merge(const Histogram& other) {
  Histogram right = other;
  const int exponent = std::max(exponent_, right.exponent_);
  grow(exponent);
  right.grow(exponent);
  for (std::size_t bin = 0; bin < kMaxBins; ++bin) counts_[bin] += right.counts_[bin];
  total_ += right.total_;
  zeros_ += right.zeros_;
  min_key_ = std::min(min_key_, right.min_key_);
  max_key_ = std::max(max_key_, right.max_key_);
}

void Histogram::grow(int exponent) {
  const auto doublings = std::min(exponent - exponent_, 12);  // 4096 bins merge into one
  if (doublings == 0) return;
  std::vector<std::uint64_t> merged(kMaxBins);
  for (std::size_t bin = 0; bin < kMaxBins; ++bin) merged[bin >> doublings] += counts_[bin];
  counts_ = std::move(merged);
  exponent_ = exponent;
}

float Histogram::min() const { return total_ == 0 ? 0 : float_of(min_key_); }

float Histogram::max() const { return total_ == 0 ? 0 : float_of(max_key_); }

float Histogram::max_abs() const { return total_ == 0 ? 0 : largest_magnitude(min_key_, max_key_); }

double Histogram::bin_width() const { return std::ldexp(1.0, exponent_); }

std::size_t Histogram::bins_in_use() const {
  return total_ == 0 ? 0 : static_cast<std::size_t>(max_abs() / bin_width()) + 1;
}

std::vector<std::uint64_t> Histogram::counts() const {
  return {counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(bins_in_use())};
}

}  // namespace chexnet_trt
