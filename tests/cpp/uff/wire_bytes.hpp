#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chexnet_trt::uff {

// Protobuf bytes written by hand, independent of the writer under test.

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7FU) | 0x80U);
  return out + static_cast<char>(value);
}

/// A length-delimited field.
inline std::string bytes_field(std::uint32_t field, std::string_view body) {
  return varint(std::uint64_t{field} << 3U | 2U) + varint(body.size()) + std::string(body);
}

inline std::string varint_field(std::uint32_t field, std::uint64_t value) {
  return varint(std::uint64_t{field} << 3U) + varint(value);
}

inline std::string map_entry(std::uint32_t field, std::string_view key, std::string_view data) {
  return bytes_field(field, bytes_field(1, key) + bytes_field(2, data));
}

/// The head of every real file: both versions and the descriptor.
inline std::string file_head() {
  return std::string("\x08\x01\x10\x01\x1a\x18\x0a\x14", 8) + "tensorflow_extension" + "\x10\x01";
}

/// A whole file whose graph holds `nodes`, each the body of a Node message.
inline std::string file_with(const std::string& nodes, const std::string& tail = "") {
  return file_head() + bytes_field(4, bytes_field(1, "main") + nodes) + tail;
}

/// A node "n" with the one field "f".
inline std::string node_with(std::string_view data) {
  return bytes_field(2, bytes_field(1, "n") + bytes_field(3, "Op") + map_entry(4, "f", data));
}

}  // namespace chexnet_trt::uff
