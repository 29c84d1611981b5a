#include "calibration/calibrator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "calibration/calibration_cache.hpp"
#include "calibration/thresholds.hpp"
#include "common/error.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

constexpr std::size_t kImageSize = 5'000;  // elements

/// A network of three values: the input, its ReLU, and a thousand times its first tenth.
class FakeNetwork {
 public:
  std::vector<Activation> operator()(const std::vector<ByteView>& inputs, std::int64_t batch) {
    const auto size = static_cast<std::size_t>(batch) * kImageSize;
    input_.resize(size);
    std::memcpy(input_.data(), inputs.at(0).data, size * sizeof(float));
    relu_.clear();
    tenth_.clear();
    for (std::size_t i = 0; i < size; ++i) {
      relu_.push_back(std::fmax(input_[i], 0.0F));
      if (i % kImageSize < kImageSize / 10) tenth_.push_back(1'000 * input_[i]);
    }
    return {{input_.data(), size}, {relu_.data(), size}, {tenth_.data(), tenth_.size()}};
  }

 private:
  std::vector<float> input_;
  std::vector<float> relu_;
  std::vector<float> tenth_;
};

Calibrator fake_calibrator(int threads) {
  return {{"input", "relu", "tenth"}, FakeNetwork(), threads};
}

std::vector<float> images(std::size_t count) {
  std::mt19937 engine(11);
  std::normal_distribution<float> normal;
  std::vector<float> values(count * kImageSize);
  for (float& value : values) value = normal(engine);
  return values;
}

void feed(Calibrator& calibrator, const std::vector<float>& values, std::size_t first,
          std::size_t count) {
  const ByteView bytes(values.data() + (first * kImageSize), count * kImageSize * sizeof(float));
  calibrator.add({bytes}, static_cast<std::int64_t>(count));
}

TEST(CalibratorTest, RangesDependNeitherOnBatchNorOrderNorThreads) {
  const std::vector<float> values = images(8);
  for (const auto algorithm : {CalibrationAlgorithm::kEntropy, CalibrationAlgorithm::kMinMax,
                               CalibrationAlgorithm::kPercentile}) {
    Calibrator whole = fake_calibrator(1);
    feed(whole, values, 0, 8);
    Calibrator pieces = fake_calibrator(3);
    feed(pieces, values, 5, 3);
    feed(pieces, values, 0, 1);
    feed(pieces, values, 1, 4);
    EXPECT_EQ(pieces.image_count(), 8);
    EXPECT_EQ(whole.ranges({algorithm}), pieces.ranges({algorithm}));
  }
}

TEST(CalibratorTest, RangesAreTheThresholdsOfTheValues) {
  const std::vector<float> values = images(2);
  Calibrator calibrator = fake_calibrator(2);
  feed(calibrator, values, 0, 2);
  Histogram histogram;
  histogram.add(values.data(), values.size());
  const DynamicRanges ranges = calibrator.ranges({CalibrationAlgorithm::kEntropy});
  ASSERT_EQ(ranges.size(), 3U);
  EXPECT_EQ(ranges.at("input"), storable_amax(entropy_threshold(histogram)));
  EXPECT_GT(ranges.at("tenth"), 1'000);
}

TEST(CalibratorTest, RangesSurviveATable) {
  Calibrator calibrator = fake_calibrator(2);
  feed(calibrator, images(1), 0, 1);
  const DynamicRanges ranges = calibrator.ranges({});
  const CalibrationTable table{table_header(CalibrationAlgorithm::kEntropy), ranges, {}};
  EXPECT_EQ(table_from_text(to_text(table)).ranges, ranges);
}

TEST(CalibratorTest, AnErrorNamesTheFirstValueThatIsNotFinite) {
  std::vector<float> values = images(1);
  values[3] = -std::numeric_limits<float>::infinity();
  for (const int threads : {1, 4}) {
    Calibrator calibrator = fake_calibrator(threads);
    const std::string message = message_of<InputError>([&] { feed(calibrator, values, 0, 1); });
    EXPECT_THAT(message, testing::HasSubstr("'input'"));
    EXPECT_THAT(message, testing::HasSubstr("not finite"));
  }
}

TEST(CalibratorTest, NeedsImages) {
  const Calibrator calibrator = fake_calibrator(1);
  EXPECT_THROW(calibrator.ranges({}), InputError);
}

TEST(CalibratorTest, ARunWithOtherValuesIsABug) {
  Calibrator calibrator({"one", "two"}, FakeNetwork(), 1);
  EXPECT_THROW(feed(calibrator, images(1), 0, 1), std::logic_error);
}

TEST(CalibratorTest, ErrorsOfTheRunPassThrough) {
  Calibrator calibrator(
      {"x"},
      [](const std::vector<ByteView>&, std::int64_t) -> std::vector<Activation> {
        throw BackendError("out of memory");
      },
      2);
  EXPECT_THROW(calibrator.add({}, 1), BackendError);
  EXPECT_EQ(calibrator.image_count(), 0);
}

}  // namespace
}  // namespace chexnet_trt
