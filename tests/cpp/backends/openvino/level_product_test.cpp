#include "backends/openvino/level_product.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace chexnet_trt::testing {
namespace {

using openvino::kProductColumns;
using openvino::kProductDepth;
using openvino::kProductRows;
using openvino::LevelProduct;
using openvino::ProductKernel;

struct alignas(64) Line {
  std::array<std::uint8_t, 64> levels;
};

using Sums = std::vector<std::int32_t>;

/// One product of `depth`, as the kernels and as a plain loop see it.
struct Matrices {
  explicit Matrices(std::size_t levels) : depth(levels), lines(kProductRows * levels / 64) {}

  std::uint8_t& level(std::size_t row, std::size_t k) {
    const std::size_t at = row * depth + k;
    return lines[at / 64].levels.at(at % 64);
  }
  std::int8_t& weight(std::size_t column, std::size_t k) {
    return weights.at(openvino::packed_offset(column, k, depth));
  }
  Sums product(ProductKernel kernel) const {
    Sums sums(kProductRows * kProductColumns, -1);
    LevelProduct(kernel).multiply(lines.front().levels.data(), openvino::dense_rows(depth),
                                  weights.data(), depth, sums.data());
    return sums;
  }
  Sums expected() {
    Sums sums;
    for (std::size_t row = 0; row < kProductRows; ++row) {
      for (std::size_t column = 0; column < kProductColumns; ++column) {
        std::int32_t sum = 0;
        for (std::size_t k = 0; k < depth; ++k) sum += level(row, k) * weight(column, k);
        sums.push_back(sum);
      }
    }
    return sums;
  }

  std::size_t depth;
  std::vector<Line> lines;
  std::vector<std::int8_t> weights = std::vector<std::int8_t>(depth * kProductColumns);
};

/// Every kernel that this CPU has.
std::vector<ProductKernel> kernels() {
  switch (openvino::best_product_kernel()) {
    case ProductKernel::kAmx: return {ProductKernel::kVnni, ProductKernel::kAmx};
    case ProductKernel::kVnni: return {ProductKernel::kVnni};
    default: return {};
  }
}

class LevelProductTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kernels().empty()) GTEST_SKIP() << "this CPU has no VNNI of 512 bits";
  }
};

TEST_F(LevelProductTest, OfRandomLevelsIsExactAtAnyDepth) {
  std::mt19937 random(5);
  for (std::size_t depth = kProductDepth; depth <= 20 * kProductDepth; depth += kProductDepth) {
    Matrices matrices(depth);
    for (std::size_t k = 0; k < depth; ++k) {
      for (std::size_t row = 0; row < kProductRows; ++row) {
        matrices.level(row, k) = static_cast<std::uint8_t>(random());
      }
      for (std::size_t column = 0; column < kProductColumns; ++column) {
        matrices.weight(column, k) = static_cast<std::int8_t>(random());
      }
    }
    for (const ProductKernel kernel : kernels()) {
      EXPECT_EQ(matrices.product(kernel), matrices.expected()) << "depth " << depth;
    }
  }
}

TEST_F(LevelProductTest, OfTheLargestLevelsDoesNotSaturate) {
  constexpr std::size_t kDepth = 2048;
  Matrices matrices(kDepth);
  for (Line& line : matrices.lines) line.levels.fill(255);
  for (const std::int8_t weight : {std::int8_t{-128}, std::int8_t{127}}) {
    std::fill(matrices.weights.begin(), matrices.weights.end(), weight);
    for (const ProductKernel kernel : kernels()) {
      EXPECT_EQ(matrices.product(kernel), Sums(kProductRows * kProductColumns,
                                               static_cast<std::int32_t>(kDepth) * 255 * weight));
    }
  }
}

TEST_F(LevelProductTest, LeavesTheTilesOfAnotherProductAsTheyWere) {
  Matrices matrices(kProductDepth);
  for (Line& line : matrices.lines) line.levels.fill(3);
  std::fill(matrices.weights.begin(), matrices.weights.end(), std::int8_t{-2});
  const Sums expected = matrices.expected();
  Sums sums(expected.size());
  for (const ProductKernel kernel : kernels()) {
    const LevelProduct outer(kernel);
    EXPECT_EQ(matrices.product(kernel), expected);
    outer.multiply(matrices.lines.front().levels.data(), openvino::dense_rows(kProductDepth),
                   matrices.weights.data(), kProductDepth, sums.data());
    EXPECT_EQ(sums, expected);
  }
}

TEST_F(LevelProductTest, FindsRowsThatShareTheirLevels) {
  // Row r begins 64 levels behind row r - 1; its second segment is the row behind it.
  constexpr std::size_t kDepth = 2 * kProductDepth;
  const openvino::RowLayout layout{
      20 * kProductDepth, kProductDepth, kProductDepth, {0, kProductDepth}};
  std::mt19937 random(11);
  std::vector<Line> levels(37);
  for (Line& line : levels) {
    for (std::uint8_t& level : line.levels) level = static_cast<std::uint8_t>(random());
  }
  Matrices dense(kDepth);
  for (std::size_t k = 0; k < kDepth; ++k) {
    for (std::size_t row = 0; row < kProductRows; ++row) {
      const std::size_t line = row / 16 * 20 + row % 16 + k / kProductDepth;
      dense.level(row, k) = levels[line].levels.at(k % kProductDepth);
    }
    for (std::size_t column = 0; column < kProductColumns; ++column) {
      dense.weight(column, k) = static_cast<std::int8_t>(random());
    }
  }
  for (const ProductKernel kernel : kernels()) {
    Sums sums(kProductRows * kProductColumns, -1);
    LevelProduct(kernel).multiply(levels.front().levels.data(), layout, dense.weights.data(),
                                  kDepth, sums.data());
    EXPECT_EQ(sums, dense.expected());
  }
}

}  // namespace
}  // namespace chexnet_trt::testing
