#include "images/png_rows.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>
#include <vector>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes unfiltered(const Bytes& rows, std::size_t width) {
  Bytes pixels(rows.size() / (width + 1) * width);
  unfilter_png_rows(ByteView(rows.data(), rows.size()), width, nullptr, pixels.data());
  return pixels;
}

/// As the PNG specification words it, 9.4.
int nearest(int left, int up, int corner) {
  const int estimate = left + up - corner;
  const int to_left = std::abs(estimate - left);
  const int to_up = std::abs(estimate - up);
  const int to_corner = std::abs(estimate - corner);
  if (to_left <= to_up && to_left <= to_corner) {
    return left;
  }
  return to_up <= to_corner ? up : corner;
}

Bytes filtered(const Bytes& pixels, std::size_t width, const Bytes& filters) {
  Bytes rows;
  for (std::size_t y = 0; y < filters.size(); ++y) {
    rows.push_back(filters[y]);
    for (std::size_t x = 0; x < width; ++x) {
      const auto at = [&](std::size_t dy, std::size_t dx) {
        return y < dy || x < dx ? 0 : int{pixels[(y - dy) * width + x - dx]};
      };
      const int left = at(0, 1);
      const int up = at(1, 0);
      const std::array<int, 5> guesses = {0, left, up, (left + up) / 2,
                                          nearest(left, up, at(1, 1))};
      rows.push_back(static_cast<std::uint8_t>(at(0, 0) - guesses.at(filters[y])));
    }
  }
  return rows;
}

TEST(PngRows, EveryFilterAfterEveryOther) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same pixels in every run
  const std::size_t width = 300;
  Bytes filters;
  for (std::uint8_t above = 0; above < 5; ++above) {
    for (std::uint8_t filter = 0; filter < 5; ++filter) {
      filters.insert(filters.end(), {above, filter});
    }
  }
  for (const unsigned levels : {256U, 4U}) {  // With few of them, neighbours tie.
    Bytes pixels(filters.size() * width);
    for (auto& pixel : pixels) {
      pixel = static_cast<std::uint8_t>(random() % levels * (255 / (levels - 1)));
    }
    const Bytes rows = filtered(pixels, width, filters);
    EXPECT_EQ(unfiltered(rows, width), pixels);
  }
}

TEST(PngRows, OnePixel) { EXPECT_EQ(unfiltered({4, 77}, 1), Bytes{77}); }

TEST(PngRows, ARowThatIsCutShortIsNone) {
  EXPECT_EQ(unfiltered({0, 1, 2, 0, 1}, 2), (Bytes{1, 2}));
}

TEST(PngRows, GoOnBelowARow) {
  const Bytes above = {10, 20};
  Bytes pixels(2);
  const Bytes rows = {2, 1, 1};
  unfilter_png_rows(ByteView(rows.data(), rows.size()), 2, above.data(), pixels.data());
  EXPECT_EQ(pixels, (Bytes{11, 21}));
}

TEST(PngRows, AnUnknownFilterIsRefused) { EXPECT_THROW(unfiltered({5, 1}, 1), InputError); }

}  // namespace
}  // namespace chexnet_trt
