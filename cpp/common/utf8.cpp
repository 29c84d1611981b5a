#include "common/utf8.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace chexnet_trt {
namespace {

/// Length of the UTF-8 sequence at the front of `text`, 0 when it is malformed (Unicode 15, table
/// 3-7).
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

/// Of a well-formed sequence.
std::uint32_t code_point(std::string_view sequence) {
  constexpr std::array<unsigned, 5> kLeadBits{0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t value = static_cast<unsigned char>(sequence[0]) & kLeadBits.at(sequence.size());
  for (const char next : sequence.substr(1)) {
    value = (value << 6U) | (static_cast<unsigned char>(next) & 0x3FU);
  }
  return value;
}

bool is_printable(std::uint32_t code) {
  const auto within = [code](std::uint32_t first, std::uint32_t last) {
    return code >= first && code <= last;
  };
  const bool control = code < 0x20 || within(0x7F, 0x9F);
  const bool separator = within(0x2028, 0x2029);
  const bool direction =
      code == 0x61C || within(0x200E, 0x200F) || within(0x202A, 0x202E) || within(0x2066, 0x2069);
  return !control && !separator && !direction;
}

std::string escaped(std::uint32_t code) {
  switch (code) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  const bool wide = code > 0xFF;
  std::string text = wide ? "\\u" : "\\x";
  for (int shift = wide ? 12 : 4; shift >= 0; shift -= 4) {
    text += "0123456789abcdef"[(code >> static_cast<unsigned>(shift)) & 15U];
  }
  return text;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    if (size == 0) {
      result += escaped(static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    const std::string_view sequence = text.substr(0, size);
    const std::uint32_t code = code_point(sequence);
    if (is_printable(code)) {
      result += sequence;
    } else {
      result += escaped(code);
    }
    text.remove_prefix(size);
  }
  return result;
}

}  // namespace chexnet_trt
