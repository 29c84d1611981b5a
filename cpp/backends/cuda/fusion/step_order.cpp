#include "backends/cuda/fusion/step_order.hpp"

#include <algorithm>
#include <utility>

#include "common/error.hpp"

namespace chexnet_trt::cuda {

void sort_steps(Program& program) {
  std::vector<int> missing(program.values.size(), 0);  // writes that are still to come
  const auto change = [&](const Step& step, int by) {
    for (int written : writes_of(step)) {
      while (written >= 0) {
        const auto index = static_cast<std::size_t>(written);
        missing[index] += by;
        written = program.values[index].parent;
      }
    }
  };
  for (const Step& step : program.steps) change(step, 1);
  const auto is_ready = [&](const Step& step) {
    const std::vector<int> reads = reads_of(step);
    return std::all_of(reads.begin(), reads.end(),
                       [&](int read) { return missing[static_cast<std::size_t>(read)] == 0; });
  };
  std::vector<Step> sorted;
  std::vector<Step> waiting = std::move(program.steps);
  while (!waiting.empty()) {
    const auto next = std::find_if(waiting.begin(), waiting.end(), is_ready);
    if (next == waiting.end()) throw Error("the steps of the network wait for each other");
    change(*next, -1);
    sorted.push_back(std::move(*next));
    waiting.erase(next);
  }
  program.steps = std::move(sorted);
}

}  // namespace chexnet_trt::cuda
