#include "bench/runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "engine/context_helpers.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

using testing::HasSubstr;

BenchOptions quick() {
  BenchOptions options;
  options.warm_up_ms = 0;
  options.duration_s = 0;
  return options;
}

TEST(Runner, KeepsTheQueriesAskedFor) {
  FakeBackend backend;
  const BenchResult result = run_bench(build_tiny(backend), quick());
  EXPECT_EQ(result.traces.size(), 10U);
  EXPECT_EQ(result.warm_up_queries, 0U);
  EXPECT_TRUE(result.random_input);
  double last = 0;
  for (const Trace& trace : result.traces) {
    EXPECT_LE(last, trace.start_enqueue);
    EXPECT_LE(trace.start_enqueue, trace.end_enqueue);
    EXPECT_LE(trace.end_enqueue, trace.end_compute);
    last = trace.end_compute;
  }
}

TEST(Runner, TakesTheTimesOfADeviceThatHasAClock) {
  FakeBackend backend;
  backend.behaviour.run_ms = [](Precision) { return 2.0; };
  backend.behaviour.device_times = DeviceTimes{0.25, 1.0, 0.125};
  for (const Trace& trace : run_bench(build_tiny(backend), quick()).traces) {
    EXPECT_DOUBLE_EQ(trace.h2d_ms, 0.25);
    EXPECT_DOUBLE_EQ(trace.d2h_ms, 0.125);
    EXPECT_NEAR(trace.compute_ms(), 1.0, 1e-9);
    // The latency stays the host's.
    EXPECT_GE(trace.latency_ms(), 2.0);
  }
}

TEST(Runner, DropsWarmUpAndRunsForTheDuration) {
  FakeBackend backend;
  backend.behaviour.run_ms = [](Precision) { return 1.0; };
  BenchOptions options = quick();
  options.warm_up_ms = 30;
  options.duration_s = 0.05;
  const BenchResult result = run_bench(build_tiny(backend), options);
  EXPECT_GT(result.warm_up_queries, 0U);
  EXPECT_GE(result.traces.size(), 10U);
  EXPECT_GE(result.traces.front().start_compute, 30);
  EXPECT_GE(result.traces.back().start_compute, 80);
}

TEST(Runner, RunsOnTheCallersData) {
  FakeBackend backend;
  BenchOptions options = quick();
  TinyCall call(2, 4);
  options.batch = 2;
  options.inputs = {ByteView(call.x.data(), call.x.size() * sizeof(float))};
  const BenchResult result = run_bench(build_tiny(backend), options);
  EXPECT_FALSE(result.random_input);
  ASSERT_EQ(result.outputs.size(), 1U);
  const std::vector<float> expected = call.expected();
  EXPECT_EQ(std::memcmp(result.outputs[0].data(), expected.data(), result.outputs[0].size()), 0);
  options.batch = 1;
  EXPECT_THAT(message_of<InputError>([&] { run_bench(build_tiny(backend), options); }),
              HasSubstr("takes 12 bytes"));
}

TEST(Runner, StreamsOverlapFromOneThreadAndFromMany) {
  for (const bool threads : {false, true}) {
    FakeBackend backend;
    backend.behaviour.run_ms = [](Precision) { return 5.0; };
    BenchOptions options = quick();
    options.streams = 3;
    options.threads = threads;
    const BenchResult result = run_bench(build_tiny(backend), options);
    EXPECT_EQ(backend.behaviour.most_running, 3) << threads;
    EXPECT_GE(result.traces.size(), 10U);
    for (std::size_t index = 1; index < result.traces.size(); ++index) {
      EXPECT_LE(result.traces[index - 1].start_compute, result.traces[index].start_compute);
    }
  }
}

TEST(Runner, ProgressStopsAnEndlessRun) {
  for (const bool threads : {false, true}) {
    FakeBackend backend;
    backend.behaviour.run_ms = [](Precision) { return 1.0; };
    BenchOptions options = quick();
    options.duration_s = -1;
    options.threads = threads;
    options.progress = [](double elapsed_ms, std::size_t /*queries*/) { return elapsed_ms < 100; };
    EXPECT_FALSE(run_bench(build_tiny(backend), options).traces.empty());
    options.progress = [](double, std::size_t) -> bool { throw Error("cancelled"); };
    EXPECT_EQ(message_of<Error>([&] { run_bench(build_tiny(backend), options); }), "cancelled");
    EXPECT_EQ(backend.behaviour.running, 0);
  }
}

TEST(Runner, AFailedInferenceEndsTheRun) {
  for (const bool threads : {false, true}) {
    FakeBackend backend;
    const auto engine = build_tiny(backend);
    backend.behaviour.fail_runs = true;
    BenchOptions options = quick();
    options.threads = threads;
    options.streams = 2;
    EXPECT_THROW(run_bench(engine, options), BackendError);
  }
}

TEST(Runner, RefusesOptionsThatDoNotFit) {
  FakeBackend backend;
  const auto engine = build_tiny(backend);
  const auto error = [&](const BenchOptions& options) {
    return message_of<InputError>([&] { run_bench(engine, options); });
  };
  BenchOptions options = quick();
  options.batch = 5;
  EXPECT_THAT(error(options), HasSubstr("outside 1 ... 4"));
  options = quick();
  options.streams = 0;
  EXPECT_THAT(error(options), HasSubstr("streams"));
  options = quick();
  options.duration_s = -1;
  EXPECT_THAT(error(options), HasSubstr("progress"));
  options = quick();
  options.inputs.resize(2);
  EXPECT_THAT(error(options), HasSubstr("1 inputs, got data for 2"));
}

}  // namespace
}  // namespace chexnet_trt
