#include "engine/executable_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
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

}  // namespace
}  // namespace chexnet_trt
