#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <openvino/core/parallel.hpp>

#include "backends/openvino/level_product.hpp"
#include "backends/openvino/shared_parts.hpp"

namespace chexnet_trt::openvino {

/// A product of rows of levels with packed weights: [rows, depth] * [depth, columns]. `columns` is a
/// multiple of 32, `depth` of 64.
struct RowProducts {
  std::size_t rows;
  std::size_t columns;
  std::size_t depth;
  const std::int8_t* weights;
  /// How every 32 rows lie, and in how many bytes, a multiple of 64.
  RowLayout layout;
  std::size_t block;
};

/// At least `bytes` at a multiple of 64, the thread's own: clearing new memory would take longer than
/// some layers do.
std::uint8_t* thread_levels(std::size_t bytes);

/// What one thread does of a product.
template <typename Fill, typename Store>
class ThreadProducts {
 public:
  ThreadProducts(const RowProducts& of, const Fill& fill, const Store& store)
      : of_(of), fill_(fill), store_(store), product_(best_product_kernel()) {}

  /// Fills all rows first: of rows few, and the more columns.
  template <typename Next>
  void multiply_columns(const Next& next) {
    const std::size_t blocks = (of_.rows + kProductRows - 1) / kProductRows;
    std::uint8_t* levels = thread_levels(blocks * of_.block);
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::size_t row = block * kProductRows;
      fill_(row, rows_from(row), levels + block * of_.block);
    }
    while (const auto part = next()) {
      for (std::size_t block = 0; block < blocks; ++block) {
        multiply(block * kProductRows, levels + block * of_.block, *part * kProductColumns);
      }
    }
  }

  template <typename Next>
  void multiply_rows(const Next& next) {
    std::uint8_t* levels = thread_levels(of_.block);
    while (const auto part = next()) {
      const std::size_t row = *part * kProductRows;
      fill_(row, rows_from(row), levels);
      for (std::size_t column = 0; column < of_.columns; column += kProductColumns) {
        multiply(row, levels, column);
      }
    }
  }

 private:
  std::size_t rows_from(std::size_t row) const { return std::min(kProductRows, of_.rows - row); }

  void multiply(std::size_t row, const std::uint8_t* levels, std::size_t column) {
    product_.multiply(levels, of_.layout, of_.weights + column * of_.depth, of_.depth,
                      sums_.data());
    store_(sums_.data(), row, rows_from(row), column);
  }

  const RowProducts& of_;
  const Fill& fill_;
  const Store& store_;
  LevelProduct product_;
  alignas(64) std::array<std::int32_t, kProductRows * kProductColumns> sums_;
};

/// Calls fill(row, rows, levels), which lays out up to 32 rows from `row` on, and then
/// store(sums, row, rows, column) with the sums [32, 32] of these rows and the columns from `column`
/// on. What lies behind a row's levels meets weights of zero. Threads share the columns where those
/// outnumber the rows, so that each reads but its part of the weights, else the rows.
template <typename Fill, typename Store>
void multiply_rows(const RowProducts& of, const Fill& fill, const Store& store) {
  const bool by_columns = of.columns > of.rows;
  const std::size_t parts =
      by_columns ? of.columns / kProductColumns : (of.rows + kProductRows - 1) / kProductRows;
  const auto threads = std::min(static_cast<std::size_t>(parallel_get_max_threads()), parts);
  SharedParts shared(parts, threads);
  ov::parallel_nt_static(static_cast<int>(threads), [&](int thread, int) {
    const auto next = [&] { return shared.next(static_cast<std::size_t>(thread)); };
    ThreadProducts<Fill, Store> products(of, fill, store);
    by_columns ? products.multiply_columns(next) : products.multiply_rows(next);
  });
}

}  // namespace chexnet_trt::openvino
