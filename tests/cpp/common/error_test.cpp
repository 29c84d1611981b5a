#include "common/error.hpp"

#include <gtest/gtest.h>

namespace chexnet_trt {
namespace {

TEST(Error, NamesFromFilesDoNotSplitTheLine) {
  EXPECT_STREQ(InputError("no node 'a\n\x1b[2Jb'").what(), "no node 'a\\n\\x1b[2Jb'");
  EXPECT_STREQ(BackendError("layer 'a\rb' failed").what(), "layer 'a\\rb' failed");
}

}  // namespace
}  // namespace chexnet_trt
