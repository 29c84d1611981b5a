#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chexnet_trt {

/// Counts of |x| in linear bins of a width that is a power of two, the smallest with which the
/// largest |x| falls below bin 4096: 2049 to 4096 bins in use. When a larger |x| comes, pairs of
/// bins merge, which is exact, so that the result depends on nothing but the multiset of values:
/// not on their order, nor on how they were divided among calls or merged histograms.
/// (Below 2^-114 the bins are 2^-126 wide and fewer are in use.) Not thread-safe.
class Histogram {
 public:
  static constexpr std::size_t kMaxBins = 4096;

  /// Raises InputError, without the tensor's name, when a value is NaN or infinite; the histogram
  /// then holds an unspecified part of the values.
  void add(const float* values, std::size_t count);
  void merge(const Histogram& other);

  /// Values counted, and those of them that are 0 or -0.
  std::uint64_t total() const { return total_; }
  std::uint64_t zeros() const { return zeros_; }
  /// Smallest and largest value, and largest |x|, exact; 0 when nothing was counted.
  float min() const;
  float max() const;
  float max_abs() const;

  /// Bin i holds i * width <= |x| < (i + 1) * width.
  double bin_width() const;
  /// Bins up to the one of `max_abs`; 0 when nothing was counted.
  std::size_t bins_in_use() const;
  /// Of the bins in use.
  std::vector<std::uint64_t> counts() const;

 private:
  void add_few(const float* values, std::size_t count);
  void add_block(const float* values, std::size_t count);
  void grow(int exponent);

  int exponent_ = -126;  // of the bin width
  std::uint64_t total_ = 0;
  std::uint64_t zeros_ = 0;
  // Extremes as keys: integers in the order of the floats (see histogram.cpp).
  std::int32_t min_key_ = INT32_MAX;
  std::int32_t max_key_ = INT32_MIN;
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(kMaxBins);
};

}  // namespace chexnet_trt
