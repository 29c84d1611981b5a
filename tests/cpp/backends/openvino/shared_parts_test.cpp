#include "backends/openvino/shared_parts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace chexnet_trt::testing {
namespace {

using openvino::SharedParts;

TEST(SharedParts, GivesAThreadItsOwnThenWhatOthersHaveLeft) {
  SharedParts parts(7, 3);  // 0 1 | 2 3 | 4 5 6
  EXPECT_EQ(parts.next(1), 2U);
  EXPECT_EQ(parts.next(0), 0U);
  EXPECT_EQ(parts.next(1), 3U);
  EXPECT_EQ(parts.next(1), 4U) << "of the third";
  EXPECT_EQ(parts.next(2), 5U);
  EXPECT_EQ(parts.next(1), 6U);
  EXPECT_EQ(parts.next(1), 1U) << "of the first";
  for (std::size_t thread = 0; thread < 3; ++thread) EXPECT_FALSE(parts.next(thread));
}

TEST(SharedParts, OfFewerPartsThanThreadsAreStillGiven) {
  SharedParts parts(1, 4);
  EXPECT_EQ(parts.next(2), 0U);
  EXPECT_FALSE(parts.next(0));
  SharedParts none(0, 2);
  EXPECT_FALSE(none.next(1));
}

TEST(SharedParts, AreGivenOnceToThreadsThatTakeThemAtOnce) {
  constexpr std::size_t kParts = 10000;
  constexpr std::size_t kThreads = 4;
  SharedParts parts(kParts, kThreads);
  std::vector<std::vector<std::size_t>> taken(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      while (const auto part = parts.next(thread)) taken[thread].push_back(*part);
    });
  }
  std::vector<std::size_t> all;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads[thread].join();
    all.insert(all.end(), taken[thread].begin(), taken[thread].end());
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), kParts);
  for (std::size_t part = 0; part < kParts; ++part) ASSERT_EQ(all[part], part);
}

}  // namespace
}  // namespace chexnet_trt::testing
