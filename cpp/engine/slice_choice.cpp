#include "engine/slice_choice.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/sliced_executable.hpp"
#include "engine/timing.hpp"

namespace chexnet_trt {
namespace {

constexpr std::array<std::int64_t, 4> kSlices{16, 8, 4, 2};
constexpr double kTie = 1.02;
constexpr std::size_t kMinRounds = 3;

std::shared_ptr<Executable> repeated(const std::shared_ptr<Executable>& slice, std::int64_t size,
                                     std::int64_t batch, const Graph& graph) {
  const std::vector<Slice> slices(static_cast<std::size_t>(batch / size), {slice, size});
  return make_sliced(slices, input_infos(graph), output_infos(graph));
}

}  // namespace

std::vector<SliceCandidate> slice_candidates(std::int64_t batch,
                                             const std::vector<TensorInfo>& inputs,
                                             const std::vector<TensorInfo>& outputs) {
  if (!can_slice(inputs, outputs)) return {};
  std::vector<SliceCandidate> candidates{{batch}};
  for (const std::int64_t size : kSlices) {
    if (size < batch && batch % size == 0) candidates.push_back({size});
  }
  return candidates.size() > 1 ? candidates : std::vector<SliceCandidate>{};
}

SliceChoice choose_slice(std::vector<SliceCandidate>& candidates,
                         const std::shared_ptr<Executable>& whole, const Graph& graph,
                         const EngineConfig& config, Backend& backend, const HostBuffers& buffers,
                         double budget_ms) {
  const std::int64_t batch = candidates.front().slice;
  std::vector<std::shared_ptr<Executable>> slices{whole};
  std::vector<std::shared_ptr<Executable>> batches{whole};
  for (std::size_t index = 1; index < candidates.size(); ++index) {
    const std::int64_t size = candidates[index].slice;
    slices.push_back(backend.compile(graph, config.compile_options(size)));
    batches.push_back(repeated(slices.back(), size, batch, graph));
  }
  std::vector<Executable*> timed;
  timed.reserve(batches.size());
  for (const auto& executable : batches) timed.push_back(executable.get());
  const std::vector<Timing> timings = time_interleaved(timed, buffers, {kMinRounds, budget_ms});
  double fastest = timings.front().median_ms;
  for (std::size_t index = 0; index < timings.size(); ++index) {
    candidates[index].median_ms = timings[index].median_ms;
    fastest = std::min(fastest, timings[index].median_ms);
  }
  const auto chosen = std::find_if(
      candidates.begin(), candidates.end(),
      [&](const SliceCandidate& candidate) { return candidate.median_ms <= fastest * kTie; });
  chosen->chosen = true;
  return {chosen->slice, slices[static_cast<std::size_t>(chosen - candidates.begin())]};
}

}  // namespace chexnet_trt
