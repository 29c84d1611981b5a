#include "engine/slice_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/builder.hpp"
#include "engine/context_helpers.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

std::vector<std::int64_t> slices_of(std::int64_t batch) {
  const Graph graph = tiny_graph();
  std::vector<std::int64_t> slices;
  for (const auto& one : slice_candidates(batch, input_infos(graph), output_infos(graph))) {
    slices.push_back(one.slice);
  }
  return slices;
}

TEST(SliceChoice, TheWholeBatchAndItsDivisors) {
  EXPECT_THAT(slices_of(32), testing::ElementsAre(32, 16, 8, 4, 2));
  EXPECT_THAT(slices_of(12), testing::ElementsAre(12, 4, 2));
  EXPECT_THAT(slices_of(2), testing::IsEmpty());
  EXPECT_THAT(slices_of(7), testing::IsEmpty());
}

BuildOptions options_for(std::int64_t max_batch) {
  BuildOptions options;
  options.max_batch = max_batch;
  options.timing_budget_ms = 0;
  return options;
}

TEST(SliceChoice, ABatchStaysWholeWhenSlicesAreSlower) {
  FakeBackend backend;
  backend.behaviour.run_batch_ms = [](std::int64_t batch) { return batch > 2 ? 1.0 : 60.0; };
  const BuildResult result = build(tiny_graph(), options_for(4), backend);
  ASSERT_EQ(result.report.slices.size(), 2U);
  EXPECT_TRUE(result.report.slices[0].chosen);
  EXPECT_EQ(result.engine->config().slice, 0);
}

using SliceChoiceFile = FolderTest;

TEST_F(SliceChoiceFile, TheEngineRunsSavesAndLoadsWithTheFasterSlice) {
  FakeBackend backend;
  backend.behaviour.run_batch_ms = [](std::int64_t batch) { return batch > 2 ? 60.0 : 1.0; };
  const BuildResult result = build(tiny_graph(), options_for(4), backend);
  EXPECT_EQ(result.engine->config().slice, 2);
  EXPECT_TRUE(result.report.slices[1].chosen);
  result.engine->save(path("sliced.engine"));
  const auto loaded = Engine::load(path("sliced.engine"), {}, backend);
  EXPECT_EQ(loaded->config().slice, 2);
  TinyCall call(4, 3);
  loaded->create_context()->execute(4, call.bindings());
  EXPECT_EQ(call.y, call.expected());
  EXPECT_EQ(backend.behaviour.deserialized, 1);
}

}  // namespace
}  // namespace chexnet_trt
