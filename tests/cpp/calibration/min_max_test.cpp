#include <gtest/gtest.h>

#include <array>

#include "calibration/thresholds.hpp"

namespace chexnet_trt {
namespace {

TEST(MinMaxTest, IsTheLargestMagnitude) {
  Histogram histogram;
  const std::array<float, 4> values{0.5F, -3.7F, 3.5F, 0.0F};
  histogram.add(values.data(), values.size());
  EXPECT_EQ(min_max_threshold(histogram), static_cast<double>(3.7F));
}

TEST(MinMaxTest, HasARangeForZeros) {
  Histogram histogram;
  EXPECT_EQ(min_max_threshold(histogram), kAmaxOfZeros);
  const float tiny = 1e-38F;
  histogram.add(&tiny, 1);
  EXPECT_EQ(min_max_threshold(histogram), kAmaxOfZeros);
}

}  // namespace
}  // namespace chexnet_trt
