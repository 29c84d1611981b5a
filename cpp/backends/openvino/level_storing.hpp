#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/openvino/level_product.hpp"

namespace chexnet_trt::openvino {

/// A sum of column c becomes the level round(scale[c] * sum + shift[c]), to even between two, kept
/// within those of its type. What is kept must stay within int32.
struct ColumnScale {
  const float* scale;
  const float* shift;
};

/// i8 levels of column c that count scale[c] times as much as those that are stored, and are added
/// before rounding. A row begins `stride` after the one before.
struct AddedLevels {
  const std::int8_t* levels;
  std::size_t stride;
  const float* scale;
};

/// Where levels go, i8 or u8. A row begins `stride` after the one before.
struct StoredLevels {
  std::uint8_t* levels;
  std::size_t stride;
  bool is_signed;
};

/// Stores the first `rows` of `sums` [32, 32].
void store_levels(const std::int32_t* sums, std::size_t rows, const ColumnScale& by,
                  StoredLevels to);

/// The same with `added`.
void store_levels(const std::int32_t* sums, std::size_t rows, const ColumnScale& by,
                  const AddedLevels& added, StoredLevels to);

}  // namespace chexnet_trt::openvino
