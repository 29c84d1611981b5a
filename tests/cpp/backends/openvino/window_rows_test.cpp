#include "backends/openvino/window_rows.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "backends/openvino/normalise_levels.hpp"

namespace chexnet_trt::testing {
namespace {

using openvino::kProductDepth;
using openvino::kProductRows;
using openvino::Window;
using openvino::WindowRows;

class WindowRowsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!openvino::can_normalise_levels()) GTEST_SKIP() << "this CPU has no AVX-512";
  }
};

std::size_t places_along(std::size_t size, std::size_t pad_end, const Window& window,
                         std::size_t axis) {
  return (size + window.pads[axis] + pad_end - window.extents[axis]) / window.strides[axis] + 1;
}

/// Level `channel` under (i, j) of the window at a place; 0 beyond the image.
std::uint8_t expected(const std::vector<std::uint8_t>& levels, const ov::Shape& images,
                      const Window& window, const ov::Shape& place, std::size_t i, std::size_t j,
                      std::size_t channel) {
  const std::size_t y = place[1] * window.strides[0] + i;
  const std::size_t x = place[2] * window.strides[1] + j;
  if (y < window.pads[0] || y >= window.pads[0] + images[1]) return 0;
  if (x < window.pads[1] || x >= window.pads[1] + images[2]) return 0;
  const std::size_t row = place[0] * images[1] + y - window.pads[0];
  return levels[(row * images[2] + x - window.pads[1]) * images[3] + channel];
}

/// Every level of every place, where the layout says that it lies; what is laid out begins as 0xAA.
void expect_covers(const ov::Shape& images, const Window& window, std::size_t pad_end) {
  std::mt19937 random(3);
  std::vector<std::uint8_t> levels(ov::shape_size(images));
  for (std::uint8_t& level : levels) level = static_cast<std::uint8_t>(random());
  const ov::Shape places{images[0], places_along(images[1], pad_end, window, 0),
                         places_along(images[2], pad_end, window, 1), 1};
  const std::size_t covered = window.extents[0] * window.extents[1] * images[3];
  const std::size_t depth = (covered + kProductDepth - 1) / kProductDepth * kProductDepth;
  const WindowRows rows(levels.data(), images, window, places, depth);
  const openvino::RowLayout& layout = rows.layout();
  ASSERT_EQ(layout.segments.size() * layout.segment, depth);
  ASSERT_EQ(layout.segment % kProductDepth, 0U);
  ASSERT_EQ(rows.block() % 64, 0U);
  const std::size_t all = ov::shape_size(places);
  for (std::size_t first = 0; first < all; first += kProductRows) {
    const std::size_t count = std::min(kProductRows, all - first);
    std::vector<std::uint8_t> block(rows.block(), 0xAA);
    rows.copy(first, count, block.data());
    for (std::size_t row = 0; row < count; ++row) {
      const std::size_t at = first + row;
      const ov::Shape place{at / places[2] / places[1], at / places[2] % places[1], at % places[2]};
      for (std::size_t k = 0; k < covered; ++k) {
        const std::size_t tap = k / images[3];
        const std::size_t offset = row / 16 * layout.lower + row % 16 * layout.stride +
                                   layout.segments[k / layout.segment] + k % layout.segment;
        ASSERT_LT(offset, block.size());
        ASSERT_EQ(block[offset], expected(levels, images, window, place, tap / window.extents[1],
                                          tap % window.extents[1], k % images[3]))
            << "place " << at << ", level " << k;
      }
    }
  }
}

TEST_F(WindowRowsTest, CoverAnyWindowOfAnyImage) {
  for (const std::size_t channels : {1UL, 16UL, 64UL, 100UL}) {
    expect_covers({2, 5, 7, channels}, {{1, 1}, {1, 1}, {0, 0}}, 0);
    expect_covers({2, 6, 9, channels}, {{3, 3}, {1, 1}, {1, 1}}, 1);
    expect_covers({1, 9, 8, channels}, {{3, 2}, {2, 3}, {0, 1}}, 1);
    expect_covers({1, 7, 7, channels}, {{1, 1}, {2, 2}, {0, 0}}, 0);
  }
}

TEST_F(WindowRowsTest, ShareWhatSixteenPlacesSideBySideCover) {
  for (const std::size_t channels : {64UL, 128UL}) {
    expect_covers({1, 3, 32, channels}, {{3, 3}, {1, 1}, {1, 1}}, 1);
    expect_covers({2, 3, 16, channels}, {{3, 3}, {1, 1}, {1, 1}}, 1);
    expect_covers({1, 5, 48, channels}, {{3, 3}, {1, 1}, {1, 1}}, 1);
    expect_covers({1, 6, 32, channels}, {{3, 3}, {2, 2}, {0, 0}}, 1);
    expect_covers({1, 4, 33, channels}, {{1, 2}, {1, 2}, {0, 0}}, 0);
  }
}

TEST_F(WindowRowsTest, AreZeroWhereTheWindowIsBeyondTheImage) {
  expect_covers({1, 2, 2, 64}, {{5, 5}, {1, 1}, {4, 4}}, 4);
  expect_covers({1, 2, 10, 64}, {{3, 3}, {1, 1}, {4, 4}}, 4);
}

}  // namespace
}  // namespace chexnet_trt::testing
