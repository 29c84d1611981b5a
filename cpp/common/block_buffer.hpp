#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "common/byte_view.hpp"

namespace chexnet_trt {

/// Cuts bytes fed in pieces into blocks of `kBlockSize`.
template <std::size_t kBlockSize>
class BlockBuffer {
 public:
  /// Calls `consume(const std::byte* block)` for every block that `bytes` complete; the rest waits.
  template <typename Consume>
  void update(ByteView bytes, Consume consume) {
    total_size_ += bytes.size;
    while (bytes.size != 0) {
      if (pending_size_ == 0 && bytes.size >= kBlockSize) {
        consume(bytes.data);
        bytes = bytes.subview(kBlockSize, bytes.size - kBlockSize);
        continue;
      }
      const std::size_t count = std::min(bytes.size, kBlockSize - pending_size_);
      std::copy_n(bytes.data, count, pending_.data() + pending_size_);
      pending_size_ += count;
      bytes = bytes.subview(count, bytes.size - count);
      if (pending_size_ == kBlockSize) {
        consume(pending_.data());
        pending_size_ = 0;
      }
    }
  }

  /// The bytes after the last full block.
  ByteView pending() const { return {pending_.data(), pending_size_}; }
  std::uint64_t total_size() const { return total_size_; }

 private:
  std::array<std::byte, kBlockSize> pending_{};
  std::size_t pending_size_ = 0;
  std::uint64_t total_size_ = 0;
};

}  // namespace chexnet_trt
