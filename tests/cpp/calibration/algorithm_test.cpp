#include "calibration/algorithm.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "calibration/thresholds.hpp"
#include "common/error.hpp"

namespace chexnet_trt {
namespace {

TEST(AlgorithmTest, NamesAreOneToOne) {
  for (const auto algorithm : {CalibrationAlgorithm::kEntropy, CalibrationAlgorithm::kMinMax,
                               CalibrationAlgorithm::kPercentile}) {
    EXPECT_EQ(calibration_algorithm_from_name(name_of(algorithm)), algorithm);
  }
  EXPECT_THROW(calibration_algorithm_from_name("mse"), InputError);
}

TEST(AlgorithmTest, OnlyAPercentileIsPartOfTheName) {
  EXPECT_EQ(to_string({CalibrationAlgorithm::kEntropy, 50}), "entropy");
  EXPECT_EQ(to_string({CalibrationAlgorithm::kMinMax, 50}), "minmax");
  EXPECT_EQ(to_string({CalibrationAlgorithm::kPercentile, kDefaultPercentile}), "percentile 99.99");
  EXPECT_EQ(to_string({CalibrationAlgorithm::kPercentile, 99.9999}), "percentile 99.9999");
}

TEST(AlgorithmTest, EachHasItsThreshold) {
  std::vector<float> values(4'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1'000);
  values.push_back(5'000);
  Histogram histogram;
  histogram.add(values.data(), values.size());
  EXPECT_EQ(threshold(histogram, {CalibrationAlgorithm::kEntropy}), entropy_threshold(histogram));
  EXPECT_EQ(threshold(histogram, {CalibrationAlgorithm::kMinMax}), 5'000);
  EXPECT_EQ(threshold(histogram, {CalibrationAlgorithm::kPercentile, 50}),
            percentile_threshold(histogram, 50));
}

}  // namespace
}  // namespace chexnet_trt
