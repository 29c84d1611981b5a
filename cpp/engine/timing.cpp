#include "engine/timing.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

namespace chexnet_trt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxRounds = 200;

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

}  // namespace

std::vector<Timing> time_interleaved(const std::vector<Executable*>& executables,
                                     const HostBuffers& buffers, const TimingBudget& budget) {
  const std::vector<Binding> bindings = buffers.bindings();
  std::vector<std::unique_ptr<Execution>> executions;
  for (Executable* executable : executables) {
    executions.push_back(executable->create_execution());
    run(*executions.back(), bindings);
  }
  std::vector<std::vector<double>> times(executions.size());
  const Clock::time_point start = Clock::now();
  for (std::size_t round = 0; round < kMaxRounds; ++round) {
    if (round >= budget.min_rounds && milliseconds_since(start) > budget.milliseconds) break;
    for (std::size_t index = 0; index < executions.size(); ++index) {
      times[index].push_back(run(*executions[index], bindings));
    }
  }
  std::vector<Timing> timings;
  for (std::vector<double>& one : times) {
    const int rounds = static_cast<int>(one.size());
    timings.push_back({median(std::move(one)), rounds});
  }
  return timings;
}

}  // namespace chexnet_trt
