#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bench/runner.hpp"

namespace chexnet_trt {

/// Milliseconds.
struct Statistics {
  double min = 0;
  double max = 0;
  double mean = 0;
  double median = 0;
  /// {percentage, value}, as asked.
  std::vector<std::pair<double, double>> percentiles;
  /// Standard deviation by mean, in percent.
  double coefficient_of_variation = 0;
};

struct Summary {
  std::size_t queries = 0;
  std::int64_t batch = 1;
  /// Queries and images a second of wall time.
  double throughput_qps = 0;
  double images_per_second = 0;
  Statistics latency;
  Statistics enqueue;
  Statistics compute;
  /// All zero where nothing is transferred.
  Statistics h2d;
  Statistics d2h;
  /// From the start of the first kept query to the end of the last, milliseconds.
  double walltime_ms = 0;
  double total_compute_ms = 0;
  std::vector<std::string> warnings;
};

/// A line of trtexec 5: means and a percentile over `avg_runs` consecutive queries, milliseconds.
struct Average {
  std::size_t runs = 0;
  double compute_ms = 0;
  double host_ms = 0;
  double percentile_ms = 0;
};

/// trtexec's percentile: element max(N - 1 - trunc((1 - p/100) * N), 0) of the sorted values.
/// Raises InputError when `percentage` is not within 0 ... 100 or there are no values.
double percentile(std::vector<double> values, double percentage);

Statistics statistics(const std::vector<double>& values, const std::vector<double>& percentages);

/// Raises InputError when there are no traces.
Summary summarize(const std::vector<Trace>& traces, std::int64_t batch, int streams,
                  const std::vector<double>& percentages = {90, 95, 99});

/// One entry for each full block of `avg_runs` traces; a rest is left out.
std::vector<Average> averages(const std::vector<Trace>& traces, std::size_t avg_runs,
                              double percentage = 99);

}  // namespace chexnet_trt
