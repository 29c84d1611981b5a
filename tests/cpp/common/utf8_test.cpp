#include "common/utf8.hpp"

#include <gtest/gtest.h>

namespace chexnet_trt {
namespace {

TEST(Utf8, WellFormedOrNot) {
  for (const auto* good : {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xa9\xba"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  // Overlong, surrogate, beyond U+10FFFF, a lone continuation, cut short.
  for (const auto* bad : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
                          "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(Printable, OneLineOfText) {
  EXPECT_EQ(printable("plain 'name' \\n"), "plain 'name' \\n");
  EXPECT_EQ(printable("R\xc3\xb6ntgen \xe8\x83\xb8 \xf0\x9f\xa9\xba"),
            "R\xc3\xb6ntgen \xe8\x83\xb8 \xf0\x9f\xa9\xba");
  EXPECT_EQ(printable("a\nb\r\tc\x1b[31m\x7f"), "a\\nb\\r\\tc\\x1b[31m\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  // U+0085 next line, U+2028 line separator, U+202E right-to-left override.
  EXPECT_EQ(printable("\xc2\x85\xe2\x80\xa8\xe2\x80\xae"), "\\x85\\u2028\\u202e");
  EXPECT_EQ(printable("\xff\xe2\x82"), "\\xff\\xe2\\x82");
}

TEST(Printable, TwiceIsOnce) {
  const std::string once = printable("\x1b\n\xff\\");
  EXPECT_EQ(printable(once), once);
}

}  // namespace
}  // namespace chexnet_trt
