#include "common/log.hpp"

#include <gtest/gtest.h>

#include <string>

namespace chexnet_trt {
namespace {

TEST(Log, MessagesAreOneLine) {
  std::string heard;
  set_log_sink([&](Severity, const std::string& message) { heard = message; });
  log(Severity::kWarning, "input 'a\nb' is left out");
  set_log_sink(nullptr);
  EXPECT_EQ(heard, "input 'a\\nb' is left out");
}

}  // namespace
}  // namespace chexnet_trt
