#include "engine/slice_choice.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/sliced_executable.hpp"
#include "engine/timing.hpp"

namespace chexnet_trt {
namespace {

constexpr std::array<std::int64_t, 4> kSlices{16, 8, 4, 2};
/// Of those side by side, to each that computes them: with one alone all would wait for the slowest.
/// Many first, as smaller batches are cut by them too.
constexpr std::array<std::int64_t, 3> kSlicesEach{8, 4, 2};
constexpr double kTie = 1.02;
constexpr std::size_t kMinRounds = 3;

std::shared_ptr<Executable> repeated(const std::shared_ptr<Executable>& slice, std::int64_t size,
                                     std::int64_t batch, const Graph& graph) {
  const std::vector<Slice> slices(static_cast<std::size_t>(batch / size), {slice, size});
  return make_sliced(slices, input_infos(graph), output_infos(graph));
}

/// At least 2 and at most `most`, so that each computes `each` slices of `batch`; 0: there is none.
std::int64_t at_once_of(std::int64_t batch, std::int64_t each, std::int64_t most) {
  for (std::int64_t at_once = std::min(most, batch / each); at_once >= 2; --at_once) {
    if (batch % (at_once * each) == 0) return at_once;
  }
  return 0;
}

std::shared_ptr<Executable> compiled(const SliceCandidate& candidate, const Graph& graph,
                                     EngineConfig config, Backend& backend) {
  config.slices_at_once = candidate.at_once;
  return backend.compile(graph, config.slice_options(candidate.slice));
}

}  // namespace

std::vector<SliceCandidate> slice_candidates(std::int64_t batch, int most_at_once,
                                             const std::vector<TensorInfo>& inputs,
                                             const std::vector<TensorInfo>& outputs) {
  if (!can_slice(inputs, outputs)) return {};
  std::vector<SliceCandidate> candidates;
  for (const std::int64_t each : kSlicesEach) {
    const std::int64_t at_once = at_once_of(batch, each, most_at_once);
    if (at_once == 0) continue;
    candidates.push_back({batch / (at_once * each), static_cast<int>(at_once)});
  }
  candidates.push_back({batch});
  for (const std::int64_t size : kSlices) {
    if (size < batch && batch % size == 0) candidates.push_back({size});
  }
  return candidates.size() > 1 ? candidates : std::vector<SliceCandidate>{};
}

SliceCandidate& choose(std::vector<SliceCandidate>& candidates) {
  const auto fastest =
      std::min_element(candidates.begin(), candidates.end(),
                       [](const auto& a, const auto& b) { return a.median_ms < b.median_ms; });
  const double limit = fastest->median_ms * kTie;
  const auto chosen =
      std::find_if(candidates.begin(), candidates.end(),
                   [&](const SliceCandidate& one) { return one.median_ms <= limit; });
  chosen->chosen = true;
  return *chosen;
}

SliceChoice choose_slice(std::vector<SliceCandidate>& candidates, std::int64_t batch,
                         const std::shared_ptr<Executable>& whole, const Graph& graph,
                         const EngineConfig& config, Backend& backend, const HostBuffers& buffers,
                         double budget_ms) {
  std::vector<std::shared_ptr<Executable>> slices;
  std::vector<std::shared_ptr<Executable>> batches;
  for (const SliceCandidate& candidate : candidates) {
    const bool is_whole = candidate.slice == batch;
    slices.push_back(is_whole ? whole : compiled(candidate, graph, config, backend));
    batches.push_back(is_whole ? whole : repeated(slices.back(), candidate.slice, batch, graph));
  }
  std::vector<Executable*> timed;
  timed.reserve(batches.size());
  for (const auto& executable : batches) timed.push_back(executable.get());
  const std::vector<Timing> timings = time_interleaved(timed, buffers, {kMinRounds, budget_ms});
  for (std::size_t index = 0; index < timings.size(); ++index) {
    candidates[index].median_ms = timings[index].median_ms;
  }
  const SliceCandidate& chosen = choose(candidates);
  return {chosen.slice, chosen.at_once,
          slices[static_cast<std::size_t>(&chosen - candidates.data())]};
}

}  // namespace chexnet_trt
