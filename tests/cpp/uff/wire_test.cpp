#include "uff/wire.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/error.hpp"
#include "uff/wire_bytes.hpp"

namespace chexnet_trt::uff {
namespace {

using namespace std::string_literals;

class WireTest : public testing::Test {
 protected:
  WireCursor cursor(std::string bytes) {
    bytes_ = std::move(bytes);
    source_ = {"file", ByteView(std::string_view(bytes_)).begin()};
    return {ByteView(std::string_view(bytes_)), source_};
  }
  template <class Action>
  std::string error_of(Action action) {
    try {
      action();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  std::string bytes_;
  WireSource source_;
};

TEST_F(WireTest, ReadsEveryWireType) {
  WireCursor c = cursor("\x08\x96\x01"s + "\x11\0\0\0\0\0\0\xf0\x3f"s + "\x1a\x02hi"s);
  ASSERT_TRUE(c.next());
  EXPECT_EQ(c.field(), 1U);
  EXPECT_EQ(c.varint(), 150U);
  ASSERT_TRUE(c.next());
  EXPECT_EQ(c.fixed64(), 1.0);
  ASSERT_TRUE(c.next());
  EXPECT_EQ(c.text(), "hi");
  EXPECT_FALSE(c.next());
}

TEST_F(WireTest, ReadsMinusOneFromTenBytes) {
  WireCursor c = cursor(varint_field(1, ~std::uint64_t{0}));
  ASSERT_EQ(bytes_.size(), 11U);
  ASSERT_TRUE(c.next());
  EXPECT_EQ(static_cast<std::int64_t>(c.varint()), -1);
}

TEST_F(WireTest, SkipsEveryWireType) {
  WireCursor c = cursor("\x08\x96\x01"s + "\x11\0\0\0\0\0\0\0\0"s + "\x1a\x02hi"s +
                        "\x25\0\0\0\0"s + varint_field(5, 7));
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(c.next());
    c.skip();
  }
  ASSERT_TRUE(c.next());
  EXPECT_EQ(c.varint(), 7U);
}

TEST_F(WireTest, NamesFileAndOffsetOfALengthPastTheEnd) {
  WireCursor c = cursor("\x08\x01\x12\x05"s + "abc");
  c.next();
  c.varint();
  c.next();
  const std::string error = error_of([&] { c.bytes(); });
  EXPECT_NE(error.find("'file'"), std::string::npos) << error;
  EXPECT_NE(error.find("byte 4: 5 bytes are announced, 3 are left"), std::string::npos) << error;
}

TEST_F(WireTest, RefusesALengthThatOverflowsPointers) {
  WireCursor c = cursor("\x0a"s + varint(~std::uint64_t{0}) + "abc");
  c.next();
  EXPECT_THROW(c.bytes(), InputError);
}

TEST_F(WireTest, RefusesVarintsCutShortOrTooLong) {
  EXPECT_NE(error_of([&] { cursor("\x80\x80"s).next(); }).find("ends inside a varint"),
            std::string::npos);
  EXPECT_NE(error_of([&] { cursor(std::string(11, '\xff')).next(); }).find("over 10 bytes"),
            std::string::npos);
}

TEST_F(WireTest, RefusesFieldZeroAndUnknownWireTypes) {
  EXPECT_THROW(cursor("\x00\x01"s).next(), InputError);
  for (const char tag : {'\x0b', '\x0c', '\x0e', '\x0f'}) {
    EXPECT_THROW(cursor(std::string(1, tag) + "\0\0"s).next(), InputError) << int{tag};
  }
}

TEST_F(WireTest, RefusesAWrongWireType) {
  WireCursor c = cursor(bytes_field(1, "x"));
  c.next();
  EXPECT_NE(error_of([&] { c.varint(); }).find("field 1 has a length in place of a varint"),
            std::string::npos);
}

}  // namespace
}  // namespace chexnet_trt::uff
