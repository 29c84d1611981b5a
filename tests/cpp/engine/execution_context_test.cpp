#include "engine/execution_context.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/error.hpp"
#include "common/log.hpp"
#include "engine/context_helpers.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

using testing::HasSubstr;

TEST(ExecutionContext, ComputesEveryBatchUpToTheMaximum) {
  FakeBackend backend;
  const auto context = build_tiny(backend)->create_context();
  for (std::int64_t batch = 1; batch <= 4; ++batch) {
    TinyCall call(batch, 5);
    context->execute(batch, call.bindings());
    EXPECT_EQ(call.y, call.expected()) << batch;
  }
}

TEST(ExecutionContext, EightThreadsWithAContextEachGetTheResultsOfOne) {
  FakeBackend backend;
  const auto engine = build_tiny(backend);
  std::vector<int> wrong(8, 0);
  std::vector<std::thread> threads;
  for (std::size_t index = 0; index < wrong.size(); ++index) {
    threads.emplace_back([&, index] {
      const auto context = engine->create_context();
      for (int round = 0; round < 50; ++round) {
        TinyCall call(1 + (round + static_cast<int>(index)) % 4,
                      static_cast<float>(100 * index + static_cast<std::size_t>(round)));
        context->enqueue(call.batch, call.bindings());
        context->wait();
        if (call.y != call.expected()) ++wrong[index];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
  EXPECT_EQ(backend.behaviour.compiled, 4);
}

TEST(ExecutionContext, ThreadsMayShareAContext) {
  FakeBackend backend;
  const auto context = build_tiny(backend)->create_context();
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t index = 0; index < wrong.size(); ++index) {
    threads.emplace_back([&, index] {
      for (int round = 0; round < 50; ++round) {
        TinyCall call(2, static_cast<float>(index));
        context->execute(2, call.bindings());
        if (call.y != call.expected()) ++wrong[index];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
  EXPECT_EQ(backend.behaviour.most_running, 1);
}

TEST(ExecutionContext, EnqueueReturnsBeforeTheInferenceEndsAndContextsOverlap) {
  FakeBackend backend;
  backend.behaviour.run_ms = [](Precision) { return 100.0; };
  const auto engine = build_tiny(backend);
  const auto first = engine->create_context();
  const auto second = engine->create_context();
  TinyCall a(1);
  TinyCall b(1);
  first->enqueue(1, a.bindings());
  EXPECT_FALSE(first->ready());
  second->enqueue(1, b.bindings());
  first->wait();
  second->wait();
  EXPECT_TRUE(first->ready());
  EXPECT_EQ(backend.behaviour.most_running, 2);
  EXPECT_EQ(b.y, b.expected());
}

TEST(ExecutionContext, EnqueueWaitsForThePreviousInference) {
  FakeBackend backend;
  backend.behaviour.run_ms = [](Precision) { return 20.0; };
  const auto context = build_tiny(backend)->create_context();
  TinyCall a(1, 1);
  TinyCall b(2, 2);
  context->enqueue(1, a.bindings());
  context->enqueue(2, b.bindings());
  EXPECT_EQ(a.y, a.expected());
  context->wait();
  EXPECT_EQ(b.y, b.expected());
  EXPECT_EQ(backend.behaviour.most_running, 1);
}

TEST(ExecutionContext, TellsTheDeviceTimesOfAnInferenceThatIsOver) {
  FakeBackend backend;
  backend.behaviour.run_ms = [](Precision) { return 20.0; };
  const auto context = build_tiny(backend)->create_context();
  TinyCall call(1);
  context->execute(1, call.bindings());
  EXPECT_FALSE(context->device_times());
  backend.behaviour.device_times = DeviceTimes{0.25, 1.5, 0.5};
  context->enqueue(1, call.bindings());
  EXPECT_FALSE(context->device_times());
  context->wait();
  ASSERT_TRUE(context->device_times());
  EXPECT_EQ(context->device_times()->compute, 1.5);
}

TEST(ExecutionContext, FailureReachesTheWaiterOnce) {
  FakeBackend backend;
  const auto context = build_tiny(backend)->create_context();
  TinyCall call(1);
  backend.behaviour.fail_runs = true;
  context->enqueue(1, call.bindings());
  EXPECT_THROW(context->wait(), BackendError);
  EXPECT_NO_THROW(context->wait());
  backend.behaviour.fail_runs = false;
  context->execute(1, call.bindings());
  EXPECT_EQ(call.y, call.expected());
}

TEST(ExecutionContext, FailureOfExecuteIsItsCallersAlone) {
  FakeBackend backend;
  const auto context = build_tiny(backend)->create_context();
  TinyCall call(1);
  backend.behaviour.fail_runs = true;
  EXPECT_THROW(context->execute(1, call.bindings()), BackendError);
  EXPECT_NO_THROW(context->wait());
  backend.behaviour.fail_runs = false;
  context->execute(1, call.bindings());
  EXPECT_EQ(call.y, call.expected());
}

TEST(ExecutionContext, FailureThatNobodyWaitedForStopsTheNextEnqueue) {
  FakeBackend backend;
  const auto context = build_tiny(backend)->create_context();
  TinyCall call(1);
  backend.behaviour.fail_runs = true;
  context->enqueue(1, call.bindings());
  EXPECT_THROW(context->enqueue(1, call.bindings()), BackendError);
  EXPECT_TRUE(context->ready());
}

TEST(ExecutionContext, DestructionWaitsAndLogsAFailure) {
  FakeBackend backend;
  backend.behaviour.run_ms = [](Precision) { return 20.0; };
  backend.behaviour.fail_runs = true;
  std::vector<std::string> messages;
  set_log_sink([&](Severity, const std::string& message) { messages.push_back(message); });
  TinyCall call(1);
  build_tiny(backend)->create_context()->enqueue(1, call.bindings());
  set_log_sink(nullptr);
  EXPECT_EQ(backend.behaviour.running, 0);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_THAT(messages[0], HasSubstr("nobody waited for"));
}

TEST(ExecutionContext, KeepsItsEngineAlive) {
  FakeBackend backend;
  const auto context = build_tiny(backend)->create_context();
  TinyCall call(3);
  context->execute(3, call.bindings());
  EXPECT_EQ(call.y, call.expected());
}

TEST(ExecutionContext, RefusesWrongBatchesAndBindings) {
  FakeBackend backend;
  const auto context = build_tiny(backend)->create_context();
  TinyCall call(1);
  for (const std::int64_t batch : {-1, 0, 5}) {
    EXPECT_THAT(message_of<InputError>([&] { context->enqueue(batch, call.bindings()); }),
                HasSubstr("outside 1 ... 4"));
  }
  EXPECT_THAT(message_of<InputError>([&] { context->enqueue(1, {{call.x.data()}}); }),
              HasSubstr("1 inputs and 1 outputs, got 1 bindings"));
  EXPECT_THAT(message_of<InputError>([&] { context->enqueue(1, {{call.x.data()}, {nullptr}}); }),
              HasSubstr("output 'y' is bound to no memory"));
}

TEST(ExecutionContext, ALimitOfCachedBatchesBoundsTheMemory) {
  FakeBackend backend;
  const auto engine = build_tiny(backend, 16);
  engine->set_max_cached_batches(2);
  const auto context = engine->create_context();
  for (int round = 0; round < 2; ++round) {
    for (std::int64_t batch = 1; batch <= 16; ++batch) {
      TinyCall call(batch, static_cast<float>(round));
      context->execute(batch, call.bindings());
      EXPECT_EQ(call.y, call.expected());
      EXPECT_LE(backend.behaviour.alive, 2);
    }
  }
}

TEST(ExecutionContext, WhatOneContextRunsOthersMayDisplace) {
  FakeBackend backend;
  const auto engine = build_tiny(backend, 8);
  engine->set_max_cached_batches(1);
  const auto busy = engine->create_context();
  const auto other = engine->create_context();
  backend.behaviour.run_ms = [](Precision) { return 20.0; };
  TinyCall long_call(1);
  busy->enqueue(1, long_call.bindings());
  TinyCall call(2);
  other->execute(2, call.bindings());
  busy->wait();
  EXPECT_EQ(long_call.y, long_call.expected());
  EXPECT_EQ(call.y, call.expected());
  EXPECT_EQ(backend.behaviour.alive, 2);
  const int compiled = backend.behaviour.compiled;
  busy->execute(1, long_call.bindings());
  EXPECT_EQ(long_call.y, long_call.expected());
  EXPECT_EQ(backend.behaviour.compiled, compiled + 1);
}

TEST(ExecutionContext, LayerTimesNeedProfiling) {
  FakeBackend backend;
  TinyCall call(1);
  BuildOptions options;
  const auto plain = build(tiny_graph(), options, backend).engine->create_context();
  plain->execute(1, call.bindings());
  EXPECT_TRUE(plain->layer_times().empty());
  options.profiling = true;
  const auto profiled = build(tiny_graph(), options, backend).engine->create_context();
  EXPECT_TRUE(profiled->layer_times().empty());
  profiled->execute(1, call.bindings());
  EXPECT_EQ(profiled->layer_times().size(), 2U);
}

}  // namespace
}  // namespace chexnet_trt
