#include "backends/cuda/memory_plan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

// Greedy by size, as in Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
// Inference" (2020), algorithm 3: the largest value first, at the lowest offset where it meets no
// value that is alive at the same time.

namespace chexnet_trt::cuda {
namespace {

constexpr std::size_t kAlignment = 256;

struct Lifetime {
  std::size_t first = std::numeric_limits<std::size_t>::max();
  std::size_t last = 0;
  std::size_t bytes = 0;

  bool is_used() const { return first <= last; }
  bool meets(const Lifetime& other) const { return first <= other.last && other.first <= last; }
};

std::vector<Lifetime> lifetimes_of(const Program& program) {
  std::vector<Lifetime> lifetimes(program.values.size());
  const auto use = [&](int value, std::size_t step) {
    Lifetime& lifetime = lifetimes[static_cast<std::size_t>(place_of(program, value).owner)];
    lifetime.first = std::min(lifetime.first, step);
    lifetime.last = std::max(lifetime.last, step);
  };
  for (std::size_t step = 0; step < program.steps.size(); ++step) {
    for (const int value : reads_of(program.steps[step])) use(value, step);
    for (const int value : writes_of(program.steps[step])) use(value, step);
  }
  for (const BackToBack& pair : program.back_to_back) {  // maybe written with the first
    for (const int value : writes_of(program.steps[pair.second])) use(value, pair.first);
  }
  for (std::size_t index = 0; index < lifetimes.size(); ++index) {
    const Value& value = program.values[index];
    const std::int64_t elements = program.images * value.height * value.width * pitch_of(value);
    const std::size_t bytes = static_cast<std::size_t>(elements) * size_of(value.element);
    lifetimes[index].bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  return lifetimes;
}

}  // namespace

MemoryPlan plan_memory(const Program& program) {
  const std::vector<Lifetime> lifetimes = lifetimes_of(program);
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return lifetimes[a].bytes > lifetimes[b].bytes;
  });
  MemoryPlan plan;
  plan.offsets.resize(lifetimes.size(), 0);
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t index : order) {
    if (!lifetimes[index].is_used() || program.values[index].binding >= 0) continue;
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      if (!lifetimes[index].meets(lifetimes[other])) continue;
      if (offset + lifetimes[index].bytes <= plan.offsets[other]) break;
      offset = std::max(offset, plan.offsets[other] + lifetimes[other].bytes);
    }
    plan.offsets[index] = offset;
    plan.bytes = std::max(plan.bytes, offset + lifetimes[index].bytes);
    const auto after = std::find_if(placed.begin(), placed.end(), [&](std::size_t other) {
      return plan.offsets[other] > offset;
    });
    placed.insert(after, index);
  }
  for (std::size_t index = 0; index < program.values.size(); ++index) {
    const Place place = place_of(program, static_cast<int>(index));
    const std::size_t element = size_of(program.values[index].element);
    if (place.owner == static_cast<int>(index)) continue;
    plan.offsets[index] = plan.offsets[static_cast<std::size_t>(place.owner)] +
                          static_cast<std::size_t>(place.offset) * element;
  }
  return plan;
}

}  // namespace chexnet_trt::cuda
