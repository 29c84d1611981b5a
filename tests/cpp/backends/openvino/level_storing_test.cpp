#include "backends/openvino/level_storing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "backends/openvino/normalise_levels.hpp"

namespace chexnet_trt::testing {
namespace {

using openvino::kProductColumns;
using openvino::kProductRows;

using Sums = std::vector<std::int32_t>;

class LevelStoringTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!openvino::can_normalise_levels()) GTEST_SKIP() << "this CPU has no AVX-512";
  }
};

TEST_F(LevelStoringTest, RoundsToEvenAndSaturates) {
  constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max() / 2;
  Sums sums(kProductRows * kProductColumns, 0);
  std::vector<float> scale(kProductColumns, 0.5F);
  std::vector<float> shift(kProductColumns, 0);
  const std::vector<std::int32_t> first{0, 1, 2, 3, 5, 509, 510, 511, kMost, -kMost, -1};
  std::copy(first.begin(), first.end(), sums.begin());
  scale[16] = 1.5F;
  sums[16] = kMost;
  shift[17] = -2e9F;
  shift[18] = 7.5F;
  sums[kProductColumns] = 40;  // the second row
  std::vector<std::uint8_t> stored(3 * 40, 99);
  openvino::store_levels(sums.data(), 2, {scale.data(), shift.data()}, {stored.data(), 40, false});
  const std::vector<std::uint8_t> wanted{0, 0, 1, 2, 2, 254, 255, 255, 255, 0, 0};
  EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), stored.begin()));
  EXPECT_EQ(stored[16], 255);
  EXPECT_EQ(stored[17], 0);
  EXPECT_EQ(stored[18], 8);
  EXPECT_EQ(stored[kProductColumns], 99) << "beyond the columns";
  EXPECT_EQ(stored[40], 20);
  EXPECT_EQ(stored[80], 99) << "beyond the rows";
}

TEST_F(LevelStoringTest, OfSignedLevelsSaturatesAtBothEnds) {
  Sums sums(kProductRows * kProductColumns, 0);
  const std::vector<std::int32_t> first{1, 3, -1, -3, 255, 256, -256, -257, 5000, -5000};
  std::copy(first.begin(), first.end(), sums.begin());
  const std::vector<float> scale(kProductColumns, 0.5F);
  const std::vector<float> shift(kProductColumns, 0);
  std::vector<std::int8_t> stored(kProductColumns, 99);
  openvino::store_levels(sums.data(), 1, {scale.data(), shift.data()},
                         {reinterpret_cast<std::uint8_t*>(stored.data()), 32, true});
  const std::vector<std::int8_t> wanted{0, 2, 0, -2, 127, 127, -128, -128, 127, -128};
  EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), stored.begin()));
}

TEST_F(LevelStoringTest, AddsLevelsBeforeRounding) {
  // Multiples of 1/8 below 2^20, so that float32 is exact.
  constexpr std::size_t kStride = 48;
  std::mt19937 random(2);
  Sums sums(kProductRows * kProductColumns);
  for (std::int32_t& sum : sums) sum = static_cast<std::int32_t>(random() % 4096) - 2048;
  std::vector<std::int8_t> added(kProductRows * kStride);
  for (std::int8_t& level : added) level = static_cast<std::int8_t>(random());
  std::vector<float> scale(kProductColumns);
  std::vector<float> shift(kProductColumns);
  std::vector<float> added_scale(kProductColumns);
  for (std::size_t c = 0; c < kProductColumns; ++c) {
    scale[c] = std::ldexp(1.0F, -static_cast<int>(random() % 4));
    shift[c] = (static_cast<float>(random() % 512) - 256) / 8;
    added_scale[c] = (static_cast<float>(random() % 32) - 16) / 8;
  }
  for (const bool is_signed : {false, true}) {
    for (const std::size_t rows : {1UL, 2UL, 31UL, 32UL}) {
      std::vector<std::uint8_t> stored(kProductRows * kStride, 99);
      openvino::store_levels(sums.data(), rows, {scale.data(), shift.data()},
                             {added.data(), kStride, added_scale.data()},
                             {stored.data(), kStride, is_signed});
      for (std::size_t i = 0; i < stored.size(); ++i) {
        const std::size_t row = i / kStride;
        const std::size_t c = i % kStride;
        if (row >= rows || c >= kProductColumns) {
          ASSERT_EQ(stored[i], 99) << "beyond the rows or columns";
          continue;
        }
        const double value = std::nearbyint(double{scale[c]} * sums[row * kProductColumns + c] +
                                            shift[c] + double{added_scale[c]} * added[i]);
        const auto level =
            is_signed ? std::clamp(value, -128.0, 127.0) : std::clamp(value, 0.0, 255.0);
        ASSERT_EQ(stored[i], static_cast<std::uint8_t>(static_cast<int>(level)))
            << row << ", " << c;
      }
    }
  }
}

}  // namespace
}  // namespace chexnet_trt::testing
