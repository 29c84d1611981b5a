#include "bench/layer_profile.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "engine/context_helpers.hpp"

namespace chexnet_trt {
namespace {

TEST(LayerProfile, SumsOverRuns) {
  const auto layers = summarize_layers({{{"a", 1}, {"b", 6}}, {{"a", 3}}, {{"b", 6}, {"a", 4}}});
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_EQ(layers[0].name, "a");
  EXPECT_DOUBLE_EQ(layers[0].total_ms, 8);
  EXPECT_DOUBLE_EQ(layers[0].average_ms, 8.0 / 3);
  EXPECT_DOUBLE_EQ(layers[0].median_ms, 3);
  EXPECT_DOUBLE_EQ(layers[0].percentage, 40);
  EXPECT_DOUBLE_EQ(layers[1].total_ms, 12);
}

TEST(LayerProfile, NeedsAProfiledEngine) {
  FakeBackend backend;
  EXPECT_THROW(profile_layers(build_tiny(backend), 1, 3), InputError);
  BuildOptions options;
  options.profiling = true;
  const auto layers = profile_layers(build(tiny_graph(), options, backend).engine, 1, 3);
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_DOUBLE_EQ(layers[1].total_ms, 9);
  EXPECT_DOUBLE_EQ(layers[1].percentage, 75);
}

}  // namespace
}  // namespace chexnet_trt
