#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine_config.hpp"
#include "engine/host_buffers.hpp"

namespace chexnet_trt {

/// A way to run the timing batch: in slices of `slice` items, `at_once` side by side; whole when
/// `slice` is the batch itself.
struct SliceCandidate {
  std::int64_t slice = 1;
  int at_once = 1;
  double median_ms = 0;
  bool chosen = false;
};

/// What is worth timing for `batch`, the best to take of those that are equally fast first; empty when
/// there is no choice. Slices side by side come first: where one CPU is slower than another, as on a
/// machine that is shared, they wait least. Then the whole batch, and ever smaller slices.
/// `most_at_once`: Backend::most_streams.
std::vector<SliceCandidate> slice_candidates(std::int64_t batch, int most_at_once,
                                             const std::vector<TensorInfo>& inputs,
                                             const std::vector<TensorInfo>& outputs);

/// Marks the first candidate within 2 % of the fastest.
SliceCandidate& choose(std::vector<SliceCandidate>& candidates);

struct SliceChoice {
  std::int64_t slice = 1;
  int at_once = 1;
  std::shared_ptr<Executable> executable;  ///< of one slice
};

/// Compiles every candidate for `graph`, times them interleaved on the input in `buffers` and chooses.
/// `whole` runs `batch` whole.
SliceChoice choose_slice(std::vector<SliceCandidate>& candidates, std::int64_t batch,
                         const std::shared_ptr<Executable>& whole, const Graph& graph,
                         const EngineConfig& config, Backend& backend, const HostBuffers& buffers,
                         double budget_ms);

}  // namespace chexnet_trt
