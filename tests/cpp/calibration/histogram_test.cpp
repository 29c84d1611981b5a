#include "calibration/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Histogram histogram_of(const std::vector<float>& values) {
  Histogram histogram;
  histogram.add(values.data(), values.size());
  return histogram;
}

/// Magnitudes over twelve decades, zeros of both signs, both signs.
std::vector<float> wide_values(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> exponent(-8, 4);
  std::vector<float> values(count);
  for (float& value : values) {
    const auto kind = engine() % 8;
    value = kind < 2 ? (kind == 0 ? 0.0F : -0.0F) : std::pow(10.0F, exponent(engine));
    if (kind % 2 == 1) value = -value;
  }
  return values;
}

void expect_same(const Histogram& left, const Histogram& right) {
  EXPECT_EQ(left.total(), right.total());
  EXPECT_EQ(left.zeros(), right.zeros());
  EXPECT_EQ(left.min(), right.min());
  EXPECT_EQ(left.max(), right.max());
  EXPECT_EQ(left.bin_width(), right.bin_width());
  EXPECT_EQ(left.counts(), right.counts());
}

/// The definition, value by value.
std::vector<std::uint64_t> slow_counts(const std::vector<float>& values, double width) {
  std::vector<std::uint64_t> counts(Histogram::kMaxBins);
  for (const float value : values) {
    ++counts.at(
        static_cast<std::size_t>(std::floor(std::fabs(static_cast<double>(value)) / width)));
  }
  while (counts.back() == 0) counts.pop_back();
  return counts;
}

TEST(HistogramTest, CountsEveryValueInItsBin) {
  const std::vector<float> values = wide_values(30'011, 1);
  const Histogram histogram = histogram_of(values);
  EXPECT_EQ(histogram.counts(), slow_counts(values, histogram.bin_width()));
  EXPECT_EQ(histogram.total(), values.size());
  EXPECT_EQ(histogram.zeros(),
            static_cast<std::uint64_t>(std::count(values.begin(), values.end(), 0.0F)));
  EXPECT_EQ(histogram.min(), *std::min_element(values.begin(), values.end()));
  EXPECT_EQ(histogram.max(), *std::max_element(values.begin(), values.end()));
}

TEST(HistogramTest, DependsNeitherOnOrderNorOnDivision) {
  std::vector<float> values = wide_values(50'000, 2);
  const Histogram whole = histogram_of(values);
  std::mt19937 engine(3);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(values.begin(), values.end(), engine);
    Histogram pieces;
    for (std::size_t start = 0; start < values.size();) {
      const std::size_t size = std::min<std::size_t>(engine() % 9'000, values.size() - start);
      pieces.add(values.data() + start, size);
      start += size;
    }
    expect_same(pieces, whole);
  }
}

TEST(HistogramTest, GrowsFromSmallToLargeAsFromLargeToSmall) {
  std::vector<float> values = wide_values(20'000, 4);
  std::sort(values.begin(), values.end(),
            [](float left, float right) { return std::fabs(left) < std::fabs(right); });
  const Histogram rising = histogram_of(values);
  std::reverse(values.begin(), values.end());
  expect_same(rising, histogram_of(values));
}

TEST(HistogramTest, MergesAsIfAddedTogether) {
  const std::vector<float> small = {0.001F, -0.002F, 0.0F};
  const std::vector<float> large = {1000.0F, -3.0F};
  const std::vector<float> together = {0.001F, -0.002F, 0.0F, 1000.0F, -3.0F};
  Histogram left = histogram_of(small);
  left.merge(histogram_of(large));
  expect_same(left, histogram_of(together));
  Histogram right = histogram_of(large);
  right.merge(histogram_of(small));
  expect_same(right, left);
  right.merge(Histogram());
  expect_same(right, left);
  Histogram empty;
  empty.merge(left);
  expect_same(empty, left);
}

TEST(HistogramTest, WidthIsAPowerOfTwoWithHalfOfTheBinsInUseAtLeast) {
  for (const float value : {1.0F, 0.7F, 4096.0F, 4095.9F, 3e-5F, 1e30F, -2.5F, 1e-30F,
                            std::numeric_limits<float>::max()}) {
    const Histogram histogram = histogram_of({value});
    int exponent = 0;
    EXPECT_EQ(std::frexp(histogram.bin_width(), &exponent), 0.5);
    EXPECT_GE(histogram.bins_in_use(), 2049U) << value;
    EXPECT_LE(histogram.bins_in_use(), 4096U) << value;
    EXPECT_EQ(histogram.counts().back(), 1U);
    EXPECT_EQ(histogram.max_abs(), std::fabs(value));
  }
}

TEST(HistogramTest, HoldsTheSmallestValues) {
  const Histogram histogram = histogram_of(
      {std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::min(), 0.0F});
  EXPECT_EQ(histogram.counts(), (std::vector<std::uint64_t>{2, 1}));
  EXPECT_EQ(histogram.zeros(), 1U);
}

TEST(HistogramTest, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.total(), 0U);
  EXPECT_EQ(histogram.max_abs(), 0.0F);
  EXPECT_TRUE(histogram.counts().empty());
  expect_same(histogram_of({}), histogram);
}

TEST(HistogramTest, KeepsTheSignsOfTheExtremes) {
  const Histogram histogram = histogram_of({-5.0F, -1.0F});
  EXPECT_EQ(histogram.min(), -5.0F);
  EXPECT_EQ(histogram.max(), -1.0F);
  EXPECT_EQ(histogram.max_abs(), 5.0F);
}

TEST(HistogramTest, RefusesWhatIsNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {nan, std::copysign(nan, -1.0F), kInfinity, -kInfinity}) {
    for (const std::size_t position : {0U, 17U, 9'999U}) {
      std::vector<float> values(10'000, 0.5F);
      values[position] = bad;
      EXPECT_THROW(histogram_of(values), InputError) << bad << " at " << position;
    }
  }
}

}  // namespace
}  // namespace chexnet_trt
