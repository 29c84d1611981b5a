#include "engine/precision_choice.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUpRuns = 2;
constexpr std::size_t kMinRounds = 5;
constexpr std::size_t kMaxRounds = 200;
constexpr double kTie = 1.02;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double run(Execution& execution, const std::vector<Binding>& bindings) {
  const Clock::time_point start = Clock::now();
  execution.enqueue(bindings, nullptr);
  execution.wait();
  return milliseconds_since(start);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string text_of(double milliseconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g ms", milliseconds);
  return text.data();
}

}  // namespace

void time_interleaved(std::vector<Candidate>& candidates, const HostBuffers& buffers,
                      double budget_ms) {
  const std::vector<Binding> bindings = buffers.bindings();
  std::vector<Candidate*> timed;
  std::vector<std::unique_ptr<Execution>> executions;
  for (Candidate& candidate : candidates) {
    if (candidate.executable == nullptr) continue;
    timed.push_back(&candidate);
    executions.push_back(candidate.executable->create_execution());
    for (int warm_up = 0; warm_up < kWarmUpRuns; ++warm_up) run(*executions.back(), bindings);
  }
  std::vector<std::vector<double>> times(timed.size());
  const Clock::time_point start = Clock::now();
  for (std::size_t round = 0; round < kMaxRounds; ++round) {
    if (round >= kMinRounds && milliseconds_since(start) > budget_ms) break;
    for (std::size_t index = 0; index < timed.size(); ++index) {
      times[index].push_back(run(*executions[index], bindings));
    }
  }
  for (std::size_t index = 0; index < timed.size(); ++index) {
    timed[index]->median_ms = median(times[index]);
    timed[index]->rounds = static_cast<int>(times[index].size());
  }
}

Candidate& choose(std::vector<Candidate>& candidates) {
  Candidate* fastest = nullptr;
  for (Candidate& candidate : candidates) {
    if (candidate.executable == nullptr) continue;
    if (fastest == nullptr || candidate.median_ms < fastest->median_ms) fastest = &candidate;
  }
  if (fastest == nullptr) throw Error("no precision is left to choose from");
  Candidate* best = fastest;
  for (Candidate& candidate : candidates) {
    if (candidate.executable == nullptr || !candidate.median_ms) continue;
    // Precision lists the highest first.
    if (candidate.precision < best->precision &&
        *candidate.median_ms <= *fastest->median_ms * kTie) {
      best = &candidate;
    }
  }
  best->chosen = true;
  if (best->reason.empty()) {
    best->reason = best == fastest ? "fastest" : "within 2 % of the fastest, and higher precision";
  }
  for (Candidate& candidate : candidates) {
    if (&candidate == best || candidate.executable == nullptr) continue;
    candidate.reason =
        candidate.median_ms && *candidate.median_ms < *best->median_ms
            ? "not 2 % faster than " + std::string(name_of(best->precision))
            : "slower: " + text_of(*candidate.median_ms) + " against " + text_of(*best->median_ms);
    candidate.executable = nullptr;
  }
  return *best;
}

}  // namespace chexnet_trt
