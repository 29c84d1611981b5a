#include "bench/summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

constexpr double kEnqueueBound = 0.8;
constexpr double kUnstablePercent = 2.5;
constexpr double kRounding = 1e-9;

/// `measure`: a member of Trace, function or field.
template <typename Measure>
std::vector<double> collect(const std::vector<Trace>& traces, Measure measure) {
  std::vector<double> values;
  values.reserve(traces.size());
  for (const Trace& trace : traces) values.push_back(std::invoke(measure, trace));
  return values;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double deviation_of(const std::vector<double>& values, double mean) {
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

std::vector<std::string> warnings_for(const Summary& summary, int streams) {
  std::vector<std::string> warnings;
  if (summary.enqueue.median > kEnqueueBound * summary.compute.median) {
    warnings.emplace_back(
        "enqueueing takes more than 80 % of the compute time: throughput may be bound by the host");
  }
  const double transfer = std::max(summary.h2d.median, summary.d2h.median);
  if (transfer > 0 && transfer >= summary.compute.median) {
    warnings.emplace_back(
        "copying to or from the device takes as long as computing: throughput is bound by it");
  }
  if (summary.compute.coefficient_of_variation > kUnstablePercent) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g", summary.compute.coefficient_of_variation);
    warnings.push_back("compute time is not stable: its coefficient of variation is " +
                       std::string(text.data()) + " %; is something else running?");
  }
  if (streams > 1) {
    warnings.emplace_back(
        "several streams run at once: a query's latency contains work of the others");
  }
  return warnings;
}

}  // namespace

double percentile(std::vector<double> values, double percentage) {
  if (!(percentage >= 0 && percentage <= 100)) {
    throw InputError("a percentile must be within 0 ... 100");
  }
  if (values.empty()) throw InputError("no queries were measured");
  std::sort(values.begin(), values.end());
  const auto count = static_cast<std::int64_t>(values.size());
  // In percent first, so that round percentages of round counts come out exact.
  const auto excluded =
      static_cast<std::int64_t>((100 - percentage) * static_cast<double>(count) / 100 + kRounding);
  return values[static_cast<std::size_t>(std::max<std::int64_t>(count - 1 - excluded, 0))];
}

Statistics statistics(const std::vector<double>& values, const std::vector<double>& percentages) {
  if (values.empty()) throw InputError("no queries were measured");
  Statistics result;
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  result.min = *min;
  result.max = *max;
  result.mean = mean_of(values);
  result.median = median_of(values);
  for (const double percentage : percentages) {
    result.percentiles.emplace_back(percentage, percentile(values, percentage));
  }
  if (result.mean > 0) {
    result.coefficient_of_variation = deviation_of(values, result.mean) / result.mean * 100;
  }
  return result;
}

Summary summarize(const std::vector<Trace>& traces, std::int64_t batch, int streams,
                  const std::vector<double>& percentages) {
  if (traces.empty()) throw InputError("no queries were measured");
  Summary summary;
  summary.queries = traces.size();
  summary.batch = batch;
  summary.latency = statistics(collect(traces, &Trace::latency_ms), percentages);
  summary.enqueue = statistics(collect(traces, &Trace::enqueue_ms), percentages);
  summary.compute = statistics(collect(traces, &Trace::compute_ms), percentages);
  summary.h2d = statistics(collect(traces, &Trace::h2d_ms), percentages);
  summary.d2h = statistics(collect(traces, &Trace::d2h_ms), percentages);
  double first = traces.front().start_enqueue;
  double last = traces.front().end();
  for (const Trace& trace : traces) {
    first = std::min(first, trace.start_enqueue);
    last = std::max(last, trace.end());
  }
  summary.walltime_ms = last - first;
  summary.total_compute_ms = summary.compute.mean * static_cast<double>(traces.size());
  summary.throughput_qps = static_cast<double>(traces.size()) / summary.walltime_ms * 1000;
  summary.images_per_second = summary.throughput_qps * static_cast<double>(batch);
  summary.warnings = warnings_for(summary, streams);
  return summary;
}

std::vector<Average> averages(const std::vector<Trace>& traces, std::size_t avg_runs,
                              double percentage) {
  if (avg_runs == 0) throw InputError("the runs to average over must be 1 or more");
  std::vector<Average> result;
  for (std::size_t at = 0; traces.size() - at >= avg_runs; at += avg_runs) {
    const auto begin = traces.begin() + static_cast<std::ptrdiff_t>(at);
    const std::vector<Trace> block(begin, begin + static_cast<std::ptrdiff_t>(avg_runs));
    const std::vector<double> compute = collect(block, &Trace::compute_ms);
    result.push_back({avg_runs, mean_of(compute), mean_of(collect(block, &Trace::latency_ms)),
                      percentile(compute, percentage)});
  }
  return result;
}

}  // namespace chexnet_trt
