#include "engine/sliced_executable.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "engine/context_helpers.hpp"

namespace chexnet_trt {
namespace {

std::shared_ptr<Executable> fake(FakeBackend& backend, std::int64_t batch, bool profiling = false) {
  CompileOptions options;
  options.batch = batch;
  options.profiling = profiling;
  return backend.compile(tiny_graph(), options);
}

std::shared_ptr<Executable> two_two_one(FakeBackend& backend, bool profiling = false) {
  const auto two = fake(backend, 2, profiling);
  const Graph graph = tiny_graph();
  return make_sliced({{two, 2}, {two, 2}, {fake(backend, 1, profiling), 1}}, input_infos(graph),
                     output_infos(graph));
}

TEST(SlicedExecutable, EverySliceGetsItsPartOfTheBatch) {
  FakeBackend backend;
  const auto execution = two_two_one(backend)->create_execution();
  TinyCall call(5, 7);
  execution->enqueue(call.bindings(), nullptr);
  execution->wait();
  EXPECT_TRUE(execution->ready());
  EXPECT_EQ(call.y, call.expected());
}

TEST(SlicedExecutable, AFailureWaitsForAllSlicesAndReachesTheWaiter) {
  FakeBackend backend;
  backend.behaviour.run_ms = [](Precision) { return 5.0; };
  const auto execution = two_two_one(backend)->create_execution();
  TinyCall call(5);
  backend.behaviour.fail_runs = true;
  execution->enqueue(call.bindings(), nullptr);
  EXPECT_THROW(execution->wait(), BackendError);
  EXPECT_EQ(backend.behaviour.running, 0);
  backend.behaviour.fail_runs = false;
  execution->enqueue(call.bindings(), nullptr);
  execution->wait();
  EXPECT_EQ(call.y, call.expected());
}

TEST(SlicedExecutable, LayerTimesAreSums) {
  FakeBackend backend;
  const auto times = two_two_one(backend, true)->create_execution()->layer_times();
  ASSERT_EQ(times.size(), 2U);
  EXPECT_EQ(times[0].name, "first");
  EXPECT_EQ(times[0].milliseconds, 3.0);
  EXPECT_EQ(times[1].milliseconds, 9.0);
}

TEST(SlicedExecutable, NeedsABatchEverywhere) {
  const TensorInfo with{"x", ElementType::kFloat32, {kBatch, 3}};
  const TensorInfo without{"y", ElementType::kFloat32, {3}};
  EXPECT_TRUE(can_slice({with}, {with}));
  EXPECT_FALSE(can_slice({with, without}, {with}));
  EXPECT_FALSE(can_slice({with}, {without}));
}

TEST(SlicedExecutable, AnEngineRunsWhatIsLargerThanItsSliceInPieces) {
  FakeBackend backend;
  EngineConfig config;
  config.max_batch = 7;
  config.slice = 2;
  const auto engine = std::make_shared<Engine>(tiny_graph(), config, backend);
  const auto context = engine->create_context();
  for (std::int64_t batch = 1; batch <= 7; ++batch) {
    TinyCall call(batch, 1);
    context->execute(batch, call.bindings());
    EXPECT_EQ(call.y, call.expected()) << batch;
  }
  EXPECT_EQ(backend.behaviour.compiled, 2);
}

TEST(SlicedExecutable, SlicesSideBySideAreCompiledApartFromBatchesOfTheirSize) {
  FakeBackend backend;
  EngineConfig config;
  config.max_batch = 9;
  config.slice = 2;
  config.slices_at_once = 2;
  const auto engine = std::make_shared<Engine>(tiny_graph(), config, backend);
  const auto context = engine->create_context();
  for (std::int64_t batch = 1; batch <= 9; ++batch) {
    TinyCall call(batch, 1);
    context->execute(batch, call.bindings());
    EXPECT_EQ(call.y, call.expected()) << batch;
  }
  // Batches of 1, 2 and 3 whole, and slices of 1 and 2.
  EXPECT_EQ(backend.behaviour.compiled, 5);
}

TEST(SlicedExecutable, SlicesWhoseLayersAreTimedRunOneAfterAnother) {
  FakeBackend backend;
  EngineConfig config;
  config.max_batch = 8;
  config.slice = 2;
  config.slices_at_once = 2;
  const auto engine = std::make_shared<Engine>(tiny_graph(), config, backend);
  EXPECT_EQ(engine->with_profiling()->config().slices_at_once, 1);
}

}  // namespace
}  // namespace chexnet_trt
