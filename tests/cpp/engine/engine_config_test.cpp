#include "engine/engine_config.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

EngineConfig sample() {
  EngineConfig config;
  config.backend = "fake";
  config.precision = Precision::kBFloat16;
  config.max_batch = 32;
  config.threads = 2;
  config.streams = 3;
  config.profiling = true;
  config.fingerprint = "a=b c";
  config.device = "two\nlines";
  return config;
}

TEST(EngineConfig, RoundTripsOnOneLineEach) {
  const EngineConfig config = config_from_text(to_text(sample()));
  EXPECT_EQ(config.backend, "fake");
  EXPECT_EQ(config.precision, Precision::kBFloat16);
  EXPECT_EQ(config.max_batch, 32);
  EXPECT_EQ(config.threads, 2);
  EXPECT_EQ(config.streams, 3);
  EXPECT_TRUE(config.profiling);
  EXPECT_EQ(config.fingerprint, "a=b c");
  EXPECT_EQ(config.device, "two lines");
}

TEST(EngineConfig, IgnoresKeysOfLaterBuilds) {
  EXPECT_EQ(config_from_text(to_text(sample()) + "new=1\n").max_batch, 32);
}

TEST(EngineConfig, RefusesBadValues) {
  for (const char* line : {"max_batch=0", "max_batch=3x", "max_batch=", "streams=0", "threads=-1",
                           "max_batch=99999999999999999999", "precision=fp64"}) {
    EXPECT_THROW(config_from_text(to_text(sample()) + line), InputError) << line;
  }
}

}  // namespace
}  // namespace chexnet_trt
