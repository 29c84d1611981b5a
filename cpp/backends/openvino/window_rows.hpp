#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <openvino/core/shape.hpp>

#include "backends/openvino/level_product.hpp"

namespace chexnet_trt::openvino {

/// The window of a convolution: rows, then columns. Padding is that before the image.
struct Window {
  std::array<std::size_t, 2> extents;
  std::array<std::size_t, 2> strides;
  std::array<std::size_t, 2> pads;
};

/// What the window covers of u8 images [N, H, W, C] at each of its places, as rows of levels
/// [extents, C]; zeros beyond an image's edges. Where 16 places lie side by side, their rows share
/// what they both cover. On x86 it needs AVX-512.
class WindowRows {
 public:
  /// `places` are [N, rows, columns, ...], as many as the convolution has outputs. A row has `depth`
  /// levels, a multiple of 64, and not below a window.
  WindowRows(const std::uint8_t* levels, const ov::Shape& images, const Window& window,
             const ov::Shape& places, std::size_t depth);

  /// Of 32 places, and in how many bytes.
  const RowLayout& layout() const { return layout_; }
  std::size_t block() const { return block_; }

  /// Lays out `count` places, up to 32, from `place` on.
  void copy(std::size_t place, std::size_t count, std::uint8_t* to) const;

 private:
  struct Place {
    std::size_t image;
    std::size_t row;
    std::size_t column;
  };

  Place place_at(std::size_t index) const;
  /// Copies what a window as wide as `columns` columns covers at `place`.
  void copy_patch(const Place& place, std::size_t columns, std::uint8_t* to) const;

  const std::uint8_t* levels_;
  std::size_t height_;
  std::size_t width_;
  std::size_t channels_;
  Window window_;
  std::size_t place_rows_;
  std::size_t place_columns_;
  /// Places of a patch: 16 side by side, or 1.
  std::size_t places_ = 1;
  RowLayout layout_;
  std::size_t block_;
};

}  // namespace chexnet_trt::openvino
