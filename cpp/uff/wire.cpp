#include "uff/wire.hpp"

#include <algorithm>
#include <cstring>

#include "common/error.hpp"
#include "common/utf8.hpp"

namespace chexnet_trt::uff {
namespace {

const char* describe(WireType type) {
  switch (type) {
    case WireType::kVarint: return "a varint";
    case WireType::kFixed64: return "a 64-bit value";
    case WireType::kLength: return "a length";
    case WireType::kFixed32: return "a 32-bit value";
  }
  return "an unknown type";
}

}  // namespace

void fail_at(const WireSource& source, const std::byte* position, const std::string& what) {
  throw InputError("'" + source.name + "' is not a UFF file, or it is damaged: byte " +
                   std::to_string(position - source.begin) + ": " + what);
}

void WireCursor::fail(const std::string& what) const {
  fail_at(*source_, tag_ != nullptr ? tag_ : position_, what);
}

bool WireCursor::next() {
  if (at_end()) return false;
  tag_ = position_;
  const std::uint64_t tag = raw_varint();
  const std::uint64_t number = tag >> 3U;
  if (number == 0 || number > 0x1FFFFFFF) fail("field number " + std::to_string(number));
  field_ = static_cast<std::uint32_t>(number);
  const auto type = static_cast<std::uint8_t>(tag & 7U);
  if (type == 3 || type == 4 || type > 5) fail("wire type " + std::to_string(type));
  type_ = static_cast<WireType>(type);
  return true;
}

void WireCursor::expect(WireType type) const {
  if (type_ == type) return;
  fail("field " + std::to_string(field_) + " has " + describe(type_) + " in place of " +
       describe(type));
}

std::uint64_t WireCursor::varint() {
  expect(WireType::kVarint);
  return raw_varint();
}

double WireCursor::fixed64() {
  expect(WireType::kFixed64);
  return raw_fixed64();
}

ByteView WireCursor::bytes() {
  expect(WireType::kLength);
  const std::uint64_t size = raw_varint();
  return {take(size), static_cast<std::size_t>(size)};
}

std::string_view WireCursor::text() {
  const std::string_view text = bytes().text();
  if (!is_utf8(text)) fail("the text of field " + std::to_string(field_) + " is not UTF-8");
  return text;
}

void WireCursor::skip() {
  switch (type_) {
    case WireType::kVarint: raw_varint(); break;
    case WireType::kFixed64: take(8); break;
    case WireType::kLength: bytes(); break;
    case WireType::kFixed32: take(4); break;
  }
}

std::uint64_t WireCursor::raw_varint() {
  std::uint64_t value = 0;
  const auto left = static_cast<std::size_t>(end_ - position_);
  for (std::size_t i = 0; i < std::min(left, kMaxVarintSize); ++i) {
    const auto byte = static_cast<std::uint64_t>(position_[i]);
    value |= (byte & 0x7FU) << (7 * i);
    if (byte < 0x80) {
      position_ += i + 1;
      return value;
    }
  }
  fail_at(*source_, position_,
          left < kMaxVarintSize ? "the data ends inside a varint" : "a varint of over 10 bytes");
}

double WireCursor::raw_fixed64() {
  double value = 0;
  std::memcpy(&value, take(sizeof value), sizeof value);
  return value;
}

const std::byte* WireCursor::take(std::uint64_t count) {
  const auto left = static_cast<std::uint64_t>(end_ - position_);
  if (count > left) {
    fail_at(*source_, position_,
            std::to_string(count) + " bytes are announced, " + std::to_string(left) + " are left");
  }
  const std::byte* begin = position_;
  position_ += count;
  return begin;
}

}  // namespace chexnet_trt::uff
