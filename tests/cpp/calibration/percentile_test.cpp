#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "calibration/thresholds.hpp"
#include "common/error.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

Histogram histogram_of(const std::vector<float>& values) {
  Histogram histogram;
  histogram.add(values.data(), values.size());
  return histogram;
}

/// 1, -2, 3, ..., -10000: in the lower corners of bins 4 wide, four a bin.
Histogram whole_numbers() {
  std::vector<float> values(10'000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i + 1) * (i % 2 == 0 ? 1.0F : -1.0F);
  }
  return histogram_of(values);
}

TEST(PercentileTest, FindsTheQuantileOfTheMagnitudes) {
  const Histogram histogram = whole_numbers();
  ASSERT_EQ(histogram.bin_width(), 4.0);
  for (const double percentile : {0.5, 10.0, 50.0, 99.0, 99.99}) {
    EXPECT_NEAR(percentile_threshold(histogram, percentile), percentile * 100, 1.0 + 1e-6);
  }
}

TEST(PercentileTest, IsLinearInsideABin) {
  // Bin 0 of width 1 holds four values, bin 2048 one.
  const Histogram histogram = histogram_of({0.1F, 0.2F, 0.3F, 0.4F, 2048.0F});
  ASSERT_EQ(histogram.bin_width(), 1.0);
  EXPECT_DOUBLE_EQ(percentile_threshold(histogram, 20), 0.25);
  EXPECT_DOUBLE_EQ(percentile_threshold(histogram, 80), 1.0);
}

TEST(PercentileTest, IsNeverAboveTheMaximum) {
  EXPECT_EQ(percentile_threshold(whole_numbers(), 100), 10'000.0);
  EXPECT_EQ(percentile_threshold(histogram_of({-3.25F}), 99.99), 3.25);
}

TEST(PercentileTest, HasARangeForZeros) {
  EXPECT_EQ(percentile_threshold(histogram_of({0.0F}), 99.99), kAmaxOfZeros);
  EXPECT_EQ(percentile_threshold(Histogram(), 99.99), kAmaxOfZeros);
}

TEST(PercentileTest, RefusesOtherPercentiles) {
  for (const double bad : {0.0, -1.0, 100.5, std::nan("")}) {
    const auto message =
        message_of<InputError>([&] { percentile_threshold(whole_numbers(), bad); });
    EXPECT_THAT(message, testing::HasSubstr("the percentile is"));
  }
}

}  // namespace
}  // namespace chexnet_trt
