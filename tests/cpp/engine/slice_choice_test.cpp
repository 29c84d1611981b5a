#include "engine/slice_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "engine/builder.hpp"
#include "engine/context_helpers.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

using Way = std::pair<std::int64_t, int>;

/// Slice and how many at once.
std::vector<Way> ways_of(std::int64_t batch, int most_at_once) {
  const Graph graph = tiny_graph();
  std::vector<Way> ways;
  for (const auto& one :
       slice_candidates(batch, most_at_once, input_infos(graph), output_infos(graph))) {
    ways.emplace_back(one.slice, one.at_once);
  }
  return ways;
}

TEST(SliceChoice, TheWholeBatchAndItsDivisors) {
  EXPECT_THAT(ways_of(32, 1),
              testing::ElementsAre(Way(32, 1), Way(16, 1), Way(8, 1), Way(4, 1), Way(2, 1)));
  EXPECT_THAT(ways_of(12, 1), testing::ElementsAre(Way(12, 1), Way(4, 1), Way(2, 1)));
  EXPECT_THAT(ways_of(2, 1), testing::IsEmpty());
  EXPECT_THAT(ways_of(7, 1), testing::IsEmpty());
}

TEST(SliceChoice, SideBySideEachThreadComputesSeveralOfThem) {
  const auto side_by_side = [](std::int64_t batch, int most) {
    std::vector<Way> ways;
    for (const Way& way : ways_of(batch, most)) {
      if (way.second > 1) ways.push_back(way);
    }
    return ways;
  };
  EXPECT_THAT(side_by_side(32, 2), testing::ElementsAre(Way(2, 2), Way(4, 2), Way(8, 2)));
  EXPECT_THAT(side_by_side(32, 64), testing::ElementsAre(Way(1, 4), Way(1, 8), Way(1, 16)));
  EXPECT_THAT(side_by_side(12, 5), testing::ElementsAre(Way(1, 3), Way(2, 3)));
  EXPECT_THAT(ways_of(4, 2), testing::ElementsAre(Way(1, 2), Way(4, 1), Way(2, 1)));
  EXPECT_THAT(ways_of(2, 2), testing::IsEmpty());
  EXPECT_THAT(ways_of(7, 2), testing::IsEmpty());
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

TEST(SliceChoice, TheFirstOfThoseThatAreAlmostTheFastest) {
  std::vector<SliceCandidate> candidates{{8, 2, 103}, {4, 2, 101}, {32, 1, 100}, {16, 1, 100}};
  EXPECT_EQ(&choose(candidates), &candidates[1]);
  EXPECT_FALSE(candidates[0].chosen);
  EXPECT_TRUE(candidates[1].chosen);
  EXPECT_FALSE(candidates[2].chosen);
}

/// Writes an engine for batches of up to 8 in slices of 2, two at once.
void save_side_by_side(FakeBackend& backend, const std::string& path) {
  backend.behaviour.most_streams = 2;
  BuildOptions options = options_for(8);
  options.slice = 2;
  options.slices_at_once = 2;
  build(tiny_graph(), options, backend).engine->save(path);
}

TEST_F(SliceChoiceFile, SlicesRunSideBySideFromTheFileToo) {
  FakeBackend backend;
  save_side_by_side(backend, path("side_by_side.engine"));
  const auto loaded = Engine::load(path("side_by_side.engine"), {}, backend);
  EXPECT_EQ(loaded->config().slices_at_once, 2);
  for (const std::int64_t batch : {8, 2}) {
    TinyCall call(batch, 3);
    loaded->create_context()->execute(batch, call.bindings());
    EXPECT_EQ(call.y, call.expected());
    EXPECT_EQ(backend.behaviour.deserialized, 1);  // of a slice: batches of its size are compiled
  }
}

TEST_F(SliceChoiceFile, OnFewerThreadsFewerSlicesRunSideBySide) {
  FakeBackend backend;
  save_side_by_side(backend, path("side_by_side.engine"));
  LoadOptions one_thread;
  one_thread.threads = 1;
  const auto loaded = Engine::load(path("side_by_side.engine"), one_thread, backend);
  EXPECT_EQ(loaded->config().slices_at_once, 1);
  TinyCall call(8, 3);
  loaded->create_context()->execute(8, call.bindings());
  EXPECT_EQ(call.y, call.expected());
  EXPECT_EQ(backend.behaviour.deserialized, 0);
}

TEST(SliceChoice, NothingRunsSideBySideInStreamsOrWithProfiling) {
  FakeBackend backend;
  backend.behaviour.most_streams = 2;
  BuildOptions streams = options_for(8);
  streams.streams = 2;
  BuildOptions profiling = options_for(8);
  profiling.profiling = true;
  for (const BuildOptions& options : {streams, profiling}) {
    const std::vector<SliceCandidate> slices = build(tiny_graph(), options, backend).report.slices;
    EXPECT_EQ(slices.size(), 3U);  // 8, 4 and 2
    for (const SliceCandidate& one : slices) EXPECT_EQ(one.at_once, 1);
  }
}

}  // namespace
}  // namespace chexnet_trt
