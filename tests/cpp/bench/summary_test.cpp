#include "bench/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

using testing::HasSubstr;

/// A query every 10 ms that takes 1 ms to enqueue and `compute` ms in all.
std::vector<Trace> traces_of(const std::vector<double>& compute) {
  std::vector<Trace> traces;
  for (const double milliseconds : compute) {
    const double start = 100 + 10 * static_cast<double>(traces.size());
    traces.push_back({start, start + 1, start, start + milliseconds});
  }
  return traces;
}

TEST(Percentile, FollowsTheRuleOfTrtexec) {
  std::vector<double> values;
  for (int value = 100; value >= 1; --value) values.push_back(value);
  EXPECT_EQ(percentile(values, 99), 99);
  EXPECT_EQ(percentile(values, 90), 90);
  EXPECT_EQ(percentile(values, 100), 100);
  EXPECT_EQ(percentile(values, 0), 1);
  EXPECT_EQ(percentile(std::vector<double>(values.begin() + 50, values.end()), 99), 50);
  EXPECT_EQ(percentile({5}, 99), 5);
  EXPECT_EQ(percentile({4, 5}, 50), 4);
  EXPECT_THROW(percentile(values, 101), InputError);
  EXPECT_THROW(percentile({}, 50), InputError);
}

TEST(Summary, HasTheValuesOfTheTraces) {
  const Summary summary = summarize(traces_of({4, 2, 6, 8}), 8, 1, {50});
  EXPECT_EQ(summary.queries, 4U);
  EXPECT_DOUBLE_EQ(summary.compute.min, 2);
  EXPECT_DOUBLE_EQ(summary.compute.max, 8);
  EXPECT_DOUBLE_EQ(summary.compute.mean, 5);
  EXPECT_DOUBLE_EQ(summary.compute.median, 5);
  EXPECT_DOUBLE_EQ(summary.compute.percentiles[0].second, 4);
  EXPECT_DOUBLE_EQ(summary.enqueue.median, 1);
  // sqrt((1 + 9 + 1 + 9) / 4) / 5
  EXPECT_NEAR(summary.compute.coefficient_of_variation, 44.7214, 1e-4);
  EXPECT_DOUBLE_EQ(summary.walltime_ms, 38);
  EXPECT_DOUBLE_EQ(summary.throughput_qps, 4 / 0.038);
  EXPECT_DOUBLE_EQ(summary.images_per_second, 32 / 0.038);
  EXPECT_DOUBLE_EQ(summary.total_compute_ms, 20);
}

TEST(Summary, WarnsAsTrtexecDoes) {
  EXPECT_TRUE(summarize(traces_of({5, 5, 5}), 1, 1).warnings.empty());
  EXPECT_THAT(summarize(traces_of({5, 5, 6}), 1, 1).warnings,
              testing::ElementsAre(HasSubstr("not stable")));
  EXPECT_THAT(summarize(traces_of({1.2, 1.2}), 1, 1).warnings,
              testing::ElementsAre(HasSubstr("bound by the host")));
  EXPECT_THAT(summarize(traces_of({5, 5}), 1, 2).warnings,
              testing::ElementsAre(HasSubstr("several streams")));
  EXPECT_THROW(summarize({}, 1, 1), InputError);
}

TEST(Summary, CountsTransfers) {
  const Summary summary = summarize({{10, 11, 12, 15, 1.5, 2}, {30, 31, 32, 36, 1.5, 6}}, 1, 1);
  EXPECT_DOUBLE_EQ(summary.compute.mean, 3.5);
  EXPECT_DOUBLE_EQ(summary.h2d.mean, 1.5);
  EXPECT_DOUBLE_EQ(summary.d2h.max, 6);
  EXPECT_DOUBLE_EQ(summary.latency.min, 7);
  EXPECT_DOUBLE_EQ(summary.latency.max, 12);
  EXPECT_DOUBLE_EQ(summary.walltime_ms, 32);
  EXPECT_THAT(summary.warnings, testing::Contains(HasSubstr("copying to or from the device")));
  EXPECT_DOUBLE_EQ(summarize(traces_of({5, 5}), 1, 1).h2d.max, 0);
}

TEST(Averages, AreTakenOverFullBlocks) {
  const std::vector<Average> lines = averages(traces_of({1, 3, 5, 9, 7}), 2);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_DOUBLE_EQ(lines[0].compute_ms, 2);
  EXPECT_DOUBLE_EQ(lines[1].compute_ms, 7);
  EXPECT_DOUBLE_EQ(lines[1].host_ms, 7);
  EXPECT_DOUBLE_EQ(lines[1].percentile_ms, 9);
  EXPECT_TRUE(averages({}, 2).empty());
  EXPECT_THROW(averages({}, 0), InputError);
}

}  // namespace
}  // namespace chexnet_trt
