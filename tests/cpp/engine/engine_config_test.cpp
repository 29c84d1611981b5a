#include "engine/engine_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

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
  config.slice = 8;
  config.slices_at_once = 2;
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
  EXPECT_EQ(config.slice, 8);
  EXPECT_EQ(config.slices_at_once, 2);
  EXPECT_EQ(config.fingerprint, "a=b c");
  EXPECT_EQ(config.device, "two lines");
}

TEST(EngineConfig, IgnoresKeysOfLaterBuilds) {
  EXPECT_EQ(config_from_text(to_text(sample()) + "new=1\n").max_batch, 32);
}

TEST(EngineConfig, RefusesBadValues) {
  for (const char* line :
       {"max_batch=0", "max_batch=3x", "max_batch=", "streams=0", "threads=-1",
        "max_batch=99999999999999999999", "precision=fp64", "slice=-1", "slices_at_once=0"}) {
    EXPECT_THROW(config_from_text(to_text(sample()) + line), InputError) << line;
  }
}

std::vector<std::int64_t> slices(std::int64_t batch, std::int64_t slice, int at_once) {
  EngineConfig config;
  config.slice = slice;
  config.slices_at_once = at_once;
  return config.slices_of(batch);
}

TEST(EngineConfig, OneAfterAnotherSlicesAreFullButTheLast) {
  using testing::ElementsAre;
  EXPECT_THAT(slices(7, 0, 1), ElementsAre(7));
  EXPECT_THAT(slices(4, 4, 1), ElementsAre(4));
  EXPECT_THAT(slices(8, 4, 1), ElementsAre(4, 4));
  EXPECT_THAT(slices(9, 4, 1), ElementsAre(4, 4, 1));
}

TEST(EngineConfig, SideBySideSlicesAreEvenAndEachComputesTwoOrMore) {
  using testing::ElementsAre;
  EXPECT_THAT(slices(7, 4, 2), ElementsAre(7));
  EXPECT_THAT(slices(8, 4, 2), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(slices(16, 4, 2), ElementsAre(4, 4, 4, 4));
  EXPECT_THAT(slices(17, 4, 2), ElementsAre(3, 3, 3, 3, 3, 2));
  EXPECT_THAT(slices(2, 1, 2), ElementsAre(1, 1));
  EXPECT_THAT(slices(5, 1, 2), ElementsAre(1, 1, 1, 1, 1));
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(slices(17, kMost, std::numeric_limits<int>::max()), ElementsAre(17));
  EXPECT_THAT(slices(17, 16, std::numeric_limits<int>::max()), ElementsAre(17));
}

TEST(EngineConfig, SlicesSideBySideCoverTheBatchAndNoneIsEmptyOrTooLarge) {
  for (std::int64_t slice = 1; slice <= 9; ++slice) {
    for (int at_once = 2; at_once <= 7; ++at_once) {
      for (std::int64_t batch = 1; batch <= 70; ++batch) {
        const std::vector<std::int64_t> parts = slices(batch, slice, at_once);
        EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), std::int64_t{0}), batch);
        if (parts.size() == 1) continue;
        EXPECT_LE(*std::max_element(parts.begin(), parts.end()), slice);
        EXPECT_GE(*std::min_element(parts.begin(), parts.end()), 1);
      }
    }
  }
}

TEST(EngineConfig, MoreStreamsAreCompiledForSlicesSideBySideAlone) {
  EngineConfig config;
  config.slices_at_once = 4;
  EXPECT_EQ(config.compile_options(8).streams, 1);
  EXPECT_EQ(config.slice_options(8).streams, 4);
  config.streams = 6;
  EXPECT_EQ(config.slice_options(8).streams, 6);
}

}  // namespace
}  // namespace chexnet_trt
