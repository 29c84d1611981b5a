#include "backends/openvino/window_rows.hpp"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__) && defined(__linux__)
#include "backends/openvino/level_vectors.hpp"
#endif

namespace chexnet_trt::openvino {
namespace {

/// Places of which a tile has the rows.
constexpr std::size_t kHalf = kProductRows / 2;

/// Columns that the window covers at `places` side by side.
std::size_t columns_of(const Window& window, std::size_t places) {
  return (places - 1) * window.strides[1] + window.extents[1];
}

/// Where a window of `extent` that begins at `begin` - `pad` lies within 0 ... `size`: offsets in the
/// window.
struct Inside {
  std::size_t first;
  std::size_t last;
};

Inside inside(std::size_t begin, std::size_t pad, std::size_t extent, std::size_t size) {
  const std::size_t first = std::min(extent, pad > begin ? pad - begin : 0);
  const std::size_t left = size + pad > begin ? size + pad - begin : 0;
  return {first, std::max(first, std::min(extent, left))};
}

#if defined(__x86_64__) && defined(__linux__)

/// A call of std::memcpy takes longer than most of these copies.
CHEXNET_TRT_AVX512 void copy_levels(const std::uint8_t* from, std::size_t count, std::uint8_t* to) {
  constexpr std::size_t kBytes = 64;
  for (; count >= kBytes; count -= kBytes, from += kBytes, to += kBytes) {
    _mm512_storeu_si512(to, _mm512_loadu_si512(from));
  }
  if (count == 0) return;
  const __mmask64 rest = (std::uint64_t{1} << count) - 1;
  _mm512_mask_storeu_epi8(to, rest, _mm512_maskz_loadu_epi8(rest, from));
}

#else

void copy_levels(const std::uint8_t* from, std::size_t count, std::uint8_t* to) {
  std::memcpy(to, from, count);
}

#endif

}  // namespace

WindowRows::WindowRows(const std::uint8_t* levels, const ov::Shape& images, const Window& window,
                       const ov::Shape& places, std::size_t depth)
    : levels_(levels),
      height_(images[1]),
      width_(images[2]),
      channels_(images[3]),
      window_(window),
      place_rows_(places[1]),
      place_columns_(places[2]),
      layout_(dense_rows(depth)),
      block_(kProductRows * depth) {
  if (place_columns_ % kHalf != 0 || channels_ % kProductDepth != 0) return;
  places_ = kHalf;
  const std::size_t line = columns_of(window_, kHalf) * channels_;
  const std::size_t half = window_.extents[0] * line;
  layout_ = {half, window_.strides[1] * channels_, channels_, {}};
  for (std::size_t row = 0; row < window_.extents[0]; ++row) {
    for (std::size_t column = 0; column < window_.extents[1]; ++column) {
      layout_.segments.push_back(row * line + column * channels_);
    }
  }
  block_ = 2 * half;
}

WindowRows::Place WindowRows::place_at(std::size_t index) const {
  const std::size_t row = index / place_columns_;
  return {row / place_rows_, row % place_rows_, index % place_columns_};
}

void WindowRows::copy(std::size_t place, std::size_t count, std::uint8_t* to) const {
  const std::size_t columns = columns_of(window_, places_);
  const std::size_t stride = places_ == kHalf ? layout_.lower : layout_.stride;
  for (std::size_t i = 0; i < count; i += places_, to += stride) {
    copy_patch(place_at(place + i), columns, to);
  }
}

void WindowRows::copy_patch(const Place& place, std::size_t columns, std::uint8_t* to) const {
  const std::size_t y = place.row * window_.strides[0];
  const std::size_t x = place.column * window_.strides[1];
  const Inside rows = inside(y, window_.pads[0], window_.extents[0], height_);
  const Inside across = inside(x, window_.pads[1], columns, width_);
  const std::size_t line = columns * channels_;
  const std::size_t length = (across.last - across.first) * channels_;
  for (std::size_t i = 0; i < window_.extents[0]; ++i, to += line) {
    const bool is_inside = i >= rows.first && i < rows.last;
    if (!is_inside || length < line) std::memset(to, 0, line);
    if (!is_inside || length == 0) continue;
    const std::size_t at =
        (place.image * height_ + y + i - window_.pads[0]) * width_ + x + across.first;
    copy_levels(levels_ + (at - window_.pads[1]) * channels_, length,
                to + across.first * channels_);
  }
}

}  // namespace chexnet_trt::openvino
