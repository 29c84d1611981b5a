#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace chexnet_trt::openvino {

/// Rows and columns of one product, and what its depth is a multiple of.
constexpr std::size_t kProductRows = 32;
constexpr std::size_t kProductColumns = 32;
constexpr std::size_t kProductDepth = 64;

/// With which instructions 8-bit levels are multiplied.
enum class ProductKernel { kNone, kVnni, kAmx };

/// The fastest that this CPU and the operating system permit.
ProductKernel best_product_kernel();

/// Where the weight of a column at a depth lies, in bytes: in tiles of 16 columns and 64 levels of
/// depth, 4 levels of a column side by side, as VNNI and AMX read them.
std::size_t packed_offset(std::size_t column, std::size_t level, std::size_t depth);

/// How 32 rows of levels lie: rows 0 ... 15 from the first level on, rows 16 ... 31 `lower` behind, each
/// `stride` after the one before. A row has `segment` levels, a multiple of 64, at each of `segments`.
struct RowLayout {
  std::size_t lower;
  std::size_t stride;
  std::size_t segment;
  std::vector<std::size_t> segments;
};

/// Rows of `depth` levels one after another.
RowLayout dense_rows(std::size_t depth);

/// The products of one thread. While it lives, the thread's AMX tiles are its own; what they were
/// configured for is put back at its end.
class LevelProduct {
 public:
  explicit LevelProduct(ProductKernel kernel);
  ~LevelProduct();
  LevelProduct(const LevelProduct&) = delete;
  LevelProduct& operator=(const LevelProduct&) = delete;

  /// sums [32, 32] = levels [32, depth] * weights [depth, 32], exact. `levels` at a multiple of 64
  /// bytes, `weights` packed, `depth` that of all segments.
  void multiply(const std::uint8_t* levels, const RowLayout& layout, const std::int8_t* weights,
                std::size_t depth, std::int32_t* sums) const;

 private:
  ProductKernel kernel_;
  alignas(64) std::array<std::uint8_t, 64> tiles_before_{};
};

}  // namespace chexnet_trt::openvino
