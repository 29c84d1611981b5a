#include "backends/openvino/level_product.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "backends/openvino/config.hpp"
#include "backends/openvino/level_vectors.hpp"
#else
#include "common/error.hpp"
#endif

namespace chexnet_trt::openvino {
namespace {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kTileColumns = 16;
/// Levels of a column that lie side by side.
constexpr std::size_t kGroup = 4;

}  // namespace

std::size_t packed_offset(std::size_t column, std::size_t level, std::size_t depth) {
  const std::size_t tile = column / kTileColumns * depth * kTileColumns;
  const std::size_t group = level / kGroup * kTileColumns * kGroup;
  return tile + group + column % kTileColumns * kGroup + level % kGroup;
}

RowLayout dense_rows(std::size_t depth) { return {kTileRows * depth, depth, depth, {0}}; }

#if defined(__x86_64__) && defined(__linux__)
namespace {

#define CHEXNET_TRT_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define CHEXNET_TRT_AMX __attribute__((target("amx-tile,amx-int8")))

constexpr std::size_t kTileBytes = 64;
/// Rows of which the VNNI kernel keeps the sums in registers.
constexpr std::size_t kVnniRows = 8;

/// Linux gives a process the tiles when it asks (Documentation/arch/x86/xstate.rst).
bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

/// The intrinsics of GCC 12 do not tell the compiler which memory they read and write: here `memory` is
/// as it should be, and may have been read or written.
void settle(const void* memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

CHEXNET_TRT_VNNI void multiply_by_vnni(const std::uint8_t* levels, const RowLayout& layout,
                                       const std::int8_t* weights, std::size_t depth,
                                       std::int32_t* sums) {
  for (std::size_t row = 0; row < kProductRows; row += kVnniRows) {
    const std::uint8_t* rows =
        levels + row / kTileRows * layout.lower + row % kTileRows * layout.stride;
    // std::array drops the vectors' attributes, and GCC warns.
    __m512i left_sums[kVnniRows];   // NOLINT(modernize-avoid-c-arrays)
    __m512i right_sums[kVnniRows];  // NOLINT(modernize-avoid-c-arrays)
    for (std::size_t r = 0; r < kVnniRows; ++r) {
      left_sums[r] = right_sums[r] = _mm512_setzero_si512();
    }
    const std::int8_t* left = weights;
    for (const std::size_t segment : layout.segments) {
      for (std::size_t level = 0; level < layout.segment; level += kGroup) {
        const __m512i a = _mm512_loadu_si512(left);
        const __m512i b = _mm512_loadu_si512(left + depth * kTileColumns);
        for (std::size_t r = 0; r < kVnniRows; ++r) {
          std::int32_t group = 0;
          __builtin_memcpy(&group, rows + r * layout.stride + segment + level, kGroup);
          const __m512i x = _mm512_set1_epi32(group);
          left_sums[r] = _mm512_dpbusd_epi32(left_sums[r], x, a);
          right_sums[r] = _mm512_dpbusd_epi32(right_sums[r], x, b);
        }
        left += kTileColumns * kGroup;
      }
    }
    for (std::size_t r = 0; r < kVnniRows; ++r) {
      std::int32_t* to = sums + (row + r) * kProductColumns;
      _mm512_storeu_si512(to, left_sums[r]);
      _mm512_storeu_si512(to + kTileColumns, right_sums[r]);
    }
  }
}

/// Lies between two instructions on tiles. While others slow a virtual machine's CPU down, most
/// likely by a thread on the same core, those that follow each other closely take far longer than
/// spaced ones; on an undisturbed CPU the space costs nothing.
inline void space_tiles() { __asm__ volatile(".rept 8\n nop\n .endr"); }

CHEXNET_TRT_AMX void multiply_by_amx(const std::uint8_t* levels, const RowLayout& layout,
                                     const std::int8_t* weights, std::size_t depth,
                                     std::int32_t* sums) {
  settle(levels);
  settle(weights);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const std::int8_t* left = weights;
  for (const std::size_t segment : layout.segments) {
    const std::uint8_t* upper = levels + segment;
    const std::uint8_t* lower = upper + layout.lower;
    for (std::size_t level = 0; level < layout.segment; level += kProductDepth) {
      const std::int8_t* right = left + depth * kTileColumns;
      _tile_loadd(4, upper + level, layout.stride);
      space_tiles();
      _tile_stream_loadd(6, left, kTileBytes);
      space_tiles();
      _tile_loadd(5, lower + level, layout.stride);
      space_tiles();
      _tile_stream_loadd(7, right, kTileBytes);
      space_tiles();
      _tile_dpbusd(0, 4, 6);
      space_tiles();
      _tile_dpbusd(1, 4, 7);
      space_tiles();
      _tile_dpbusd(2, 5, 6);
      space_tiles();
      _tile_dpbusd(3, 5, 7);
      space_tiles();
      left += kTileColumns * kProductDepth;
    }
  }
  constexpr std::size_t kStride = kProductColumns * sizeof(std::int32_t);
  std::int32_t* lower_sums = sums + kTileRows * kProductColumns;
  _tile_stored(0, sums, kStride);
  _tile_stored(1, sums + kTileColumns, kStride);
  _tile_stored(2, lower_sums, kStride);
  _tile_stored(3, lower_sums + kTileColumns, kStride);
  settle(sums);
}

/// What LDTILECFG reads (Intel SDM volume 1, 18.3).
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::array<std::uint8_t, 14> reserved{};
  std::array<std::uint16_t, 16> row_bytes{};
  std::array<std::uint8_t, 16> rows{};
};
static_assert(sizeof(TileConfig) == 64);

CHEXNET_TRT_AMX void configure_tiles(const void* config) {
  settle(config);
  _tile_loadconfig(config);
}

CHEXNET_TRT_AMX void read_tile_config(void* config) {
  _tile_storeconfig(config);
  settle(config);
}

}  // namespace

ProductKernel best_product_kernel() {
  static const ProductKernel kBest = [] {
    const bool has_vnni = __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512vnni");
    if (!has_vnni) return ProductKernel::kNone;
    const bool has_tiles =
        instruction_sets().find("AMX_INT8") != std::string::npos && may_use_tiles();
    return has_tiles ? ProductKernel::kAmx : ProductKernel::kVnni;
  }();
  return kBest;
}

LevelProduct::LevelProduct(ProductKernel kernel) : kernel_(kernel) {
  if (kernel_ != ProductKernel::kAmx) return;
  read_tile_config(tiles_before_.data());
  TileConfig config;
  constexpr std::size_t kTiles = 8;
  for (std::size_t tile = 0; tile < kTiles; ++tile) {
    config.row_bytes.at(tile) = kTileBytes;
    config.rows.at(tile) = kTileRows;
  }
  configure_tiles(&config);
}

LevelProduct::~LevelProduct() {
  if (kernel_ == ProductKernel::kAmx) configure_tiles(tiles_before_.data());
}

void LevelProduct::multiply(const std::uint8_t* levels, const RowLayout& layout,
                            const std::int8_t* weights, std::size_t depth,
                            std::int32_t* sums) const {
  const auto by = kernel_ == ProductKernel::kAmx ? multiply_by_amx : multiply_by_vnni;
  by(levels, layout, weights, depth, sums);
}

#else

ProductKernel best_product_kernel() { return ProductKernel::kNone; }

namespace {

constexpr const char* kAbsent = "8-bit levels are multiplied with VNNI or AMX alone";

}  // namespace

LevelProduct::LevelProduct(ProductKernel kernel) : kernel_(kernel) { throw Error(kAbsent); }
LevelProduct::~LevelProduct() = default;
void LevelProduct::multiply(const std::uint8_t*, const RowLayout&, const std::int8_t*, std::size_t,
                            std::int32_t*) const {
  throw Error(kAbsent);
}

#endif

}  // namespace chexnet_trt::openvino
