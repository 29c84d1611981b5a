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

}  // namespace
}  // namespace chexnet_trt
