#pragma once

#include <cstddef>
#include <string_view>

namespace chexnet_trt {

/// Bytes that somebody else owns.
struct ByteView {
  const std::byte* data = nullptr;
  std::size_t size = 0;

  ByteView() = default;
  ByteView(const void* bytes, std::size_t count)
      : data(static_cast<const std::byte*>(bytes)), size(count) {}
  explicit ByteView(std::string_view text) : ByteView(text.data(), text.size()) {}

  const std::byte* begin() const { return data; }
  const std::byte* end() const { return data + size; }
  /// The caller checks that `offset + count <= size`.
  ByteView subview(std::size_t offset, std::size_t count) const { return {data + offset, count}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data), size}; }
};

}  // namespace chexnet_trt
