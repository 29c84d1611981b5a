#include "engine/executable_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "common/error.hpp"
#include "engine/context_helpers.hpp"

namespace chexnet_trt {
namespace {

TEST(ExecutableCache, ThreadsShareOneCompilationABatch) {
  FakeBackend backend;
  backend.behaviour.compile_ms = 20;
  const auto engine = build_tiny(backend);
  const int before = backend.behaviour.compiled;
  std::vector<std::shared_ptr<Executable>> got(6);
  std::vector<std::thread> threads;
  for (std::size_t index = 0; index < got.size(); ++index) {
    threads.emplace_back([&, index] { got[index] = engine->executable(1 + index % 2); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(backend.behaviour.compiled - before, 2);
  EXPECT_EQ(got[0], got[2]);
  EXPECT_NE(got[0], got[1]);
}

TEST(ExecutableCache, OneBatchDoesNotBlockAnother) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  ExecutableCache cache([&](std::int64_t batch) -> std::shared_ptr<Executable> {
    if (batch == 1) released.wait();
    return nullptr;
  });
  std::thread slow([&] { cache.get(1); });
  cache.get(2);
  release.set_value();
  slow.join();
}

TEST(ExecutableCache, AFailureReachesEverybodyAndIsTriedAgain) {
  FakeBackend backend;
  backend.behaviour.compile_ms = 20;
  const auto engine = build_tiny(backend);
  backend.behaviour.fail_compile = true;
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int count = 0; count < 4; ++count) {
    threads.emplace_back([&] {
      try {
        engine->executable(1);
      } catch (const BackendError&) {
        ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 4);
  backend.behaviour.fail_compile = false;
  EXPECT_NE(engine->executable(1), nullptr);
}

/// Counts the compilations of each batch size.
struct CountingCache {
  std::map<std::int64_t, int> compiled;
  ExecutableCache cache{[this](std::int64_t batch) {
    ++compiled[batch];
    return std::shared_ptr<Executable>();
  }};
};

TEST(ExecutableCache, TheLeastRecentlyUsedGoesFirst) {
  CountingCache counting;
  ExecutableCache& cache = counting.cache;
  cache.set_limit(2);
  for (const std::int64_t batch : {1, 2, 1, 3}) cache.get(batch);
  EXPECT_TRUE(cache.holds(1, nullptr));
  EXPECT_FALSE(cache.holds(2, nullptr));
  EXPECT_TRUE(cache.holds(3, nullptr));
  cache.get(1);
  cache.get(2);
  EXPECT_EQ(counting.compiled, (std::map<std::int64_t, int>{{1, 1}, {2, 2}, {3, 1}}));
  EXPECT_FALSE(cache.holds(3, nullptr));
}

TEST(ExecutableCache, ALimitSetLaterAppliesAtOnceAndNoneKeepsAll) {
  CountingCache counting;
  ExecutableCache& cache = counting.cache;
  for (std::int64_t batch = 1; batch <= 32; ++batch) cache.get(batch);
  for (std::int64_t batch = 1; batch <= 32; ++batch) EXPECT_TRUE(cache.holds(batch, nullptr));
  cache.set_limit(1);
  EXPECT_FALSE(cache.holds(31, nullptr));
  EXPECT_TRUE(cache.holds(32, nullptr));
  cache.set_limit(0);
  cache.get(1);
  EXPECT_TRUE(cache.holds(1, nullptr));
  EXPECT_TRUE(cache.holds(32, nullptr));
}

TEST(ExecutableCache, WhatIsBeingCompiledIsNotLetGo) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<int> compiled{0};
  ExecutableCache cache([&](std::int64_t batch) -> std::shared_ptr<Executable> {
    ++compiled;
    if (batch == 1) released.wait();
    return nullptr;
  });
  cache.set_limit(1);
  std::thread slow([&] { cache.get(1); });
  while (compiled == 0) std::this_thread::yield();
  cache.get(2);
  cache.get(3);
  release.set_value();
  cache.get(1);
  slow.join();
  EXPECT_EQ(compiled, 3);
  EXPECT_TRUE(cache.holds(1, nullptr));
  EXPECT_FALSE(cache.holds(3, nullptr));
}

}  // namespace
}  // namespace chexnet_trt
