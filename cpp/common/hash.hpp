#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/block_buffer.hpp"
#include "common/byte_view.hpp"

namespace chexnet_trt {

/// XXH64 with seed 0 (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md): finds damage, is no
/// defence against forgery.
std::uint64_t checksum(ByteView bytes);

/// `checksum` over bytes fed in pieces.
class Checksum {
 public:
  Checksum();
  void update(ByteView bytes);
  std::uint64_t digest() const;

 private:
  std::array<std::uint64_t, 4> lanes_;
  BlockBuffer<32> buffer_;
};

/// SHA-256 (FIPS 180-4) over bytes fed in pieces: names content.
class Sha256 {
 public:
  void update(ByteView bytes);
  /// 64 lower-case hexadecimal digits. Call once, last.
  std::string hex_digest();

 private:
  void compress(const std::byte* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  BlockBuffer<64> buffer_;
};

}  // namespace chexnet_trt
