#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chexnet_trt {

// The engine file, format 1. All integers are little-endian.
//
//   header, 64 bytes:
//     0  magic "CHEXTRT\0"      8  u32 format version       12  u32 header size (64)
//    16  u64 file size         24  u32 section count        28  u32 table entry size (64)
//    32  u64 XXH64 of header and table, this field taken as zero
//    40  zero bytes
//   section table, 64 bytes an entry:
//     0  name, printable ASCII, filled up with zero bytes (at most 39 characters)
//    40  u64 offset            48  u64 size                 56  u64 XXH64 of the section
//   sections, in the order of the table, each at a multiple of 64, zero bytes between.
//
// Readers of format 1 ignore sections whose names they do not know.

constexpr std::string_view kPlanMagic("CHEXTRT\0", 8);
constexpr std::uint32_t kPlanVersion = 1;
constexpr std::size_t kPlanHeaderSize = 64;
constexpr std::size_t kPlanEntrySize = 64;
constexpr std::size_t kPlanNameSize = 40;
constexpr std::size_t kPlanChecksumOffset = 32;
constexpr std::size_t kPlanAlignment = 64;
constexpr std::uint32_t kPlanMaxSections = 4096;

/// A row of the section table.
struct PlanEntry {
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t checksum = 0;
};

constexpr std::uint64_t plan_aligned(std::uint64_t offset) {
  return (offset + kPlanAlignment - 1) / kPlanAlignment * kPlanAlignment;
}

}  // namespace chexnet_trt
