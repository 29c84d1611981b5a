#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/byte_view.hpp"

namespace chexnet_trt::uff {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

/// The longest varint: 64 bits in groups of 7.
constexpr std::size_t kMaxVarintSize = 10;

/// What error messages need: the file's name and where its bytes begin.
struct WireSource {
  std::string name;
  const std::byte* begin = nullptr;
};

/// A cursor over one protobuf message. Every read is checked against the bytes that are left and
/// raises InputError with the file's name and the byte offset. `source` must outlive the cursor.
class WireCursor {
 public:
  WireCursor(ByteView bytes, const WireSource& source)
      : position_(bytes.begin()), end_(bytes.end()), source_(&source) {}

  /// Reads the next tag. False at the end of the message.
  bool next();
  std::uint32_t field() const { return field_; }
  WireType type() const { return type_; }
  bool at_end() const { return position_ == end_; }

  // The value after the tag; each raises InputError when the tag's wire type is another one.
  std::uint64_t varint();
  double fixed64();
  ByteView bytes();
  /// Also checks that the text is UTF-8, as proto3 demands of a string.
  std::string_view text();
  WireCursor message() { return {bytes(), *source_}; }

  /// Steps over a value of any type.
  void skip();

  // Elements of a packed list: values without tags.
  std::uint64_t raw_varint();
  double raw_fixed64();

  [[noreturn]] void fail(const std::string& what) const;

 private:
  void expect(WireType type) const;
  const std::byte* take(std::uint64_t count);

  const std::byte* position_;
  const std::byte* end_;
  const WireSource* source_;
  const std::byte* tag_ = nullptr;
  std::uint32_t field_ = 0;
  WireType type_ = WireType::kVarint;
};

/// Raises InputError: "'NAME' is not a UFF file: byte OFFSET: WHAT".
[[noreturn]] void fail_at(const WireSource& source, const std::byte* position,
                          const std::string& what);

}  // namespace chexnet_trt::uff
