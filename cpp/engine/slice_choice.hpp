#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine_config.hpp"
#include "engine/host_buffers.hpp"

namespace chexnet_trt {

/// A way to run the timing batch: in slices of `slice` items, whole when that is the batch itself.
struct SliceCandidate {
  std::int64_t slice = 1;
  double median_ms = 0;
  bool chosen = false;
};

/// The slices worth timing for `batch`, largest first, beginning with the whole batch; empty when
/// there is no choice.
std::vector<SliceCandidate> slice_candidates(std::int64_t batch,
                                             const std::vector<TensorInfo>& inputs,
                                             const std::vector<TensorInfo>& outputs);

struct SliceChoice {
  std::int64_t slice = 1;
  std::shared_ptr<Executable> executable;  ///< of one slice
};

/// Compiles every candidate for `graph`, times them interleaved on the input in `buffers` and takes
/// the largest slice within 2 % of the fastest. `whole` runs the batch whole.
SliceChoice choose_slice(std::vector<SliceCandidate>& candidates,
                         const std::shared_ptr<Executable>& whole, const Graph& graph,
                         const EngineConfig& config, Backend& backend, const HostBuffers& buffers,
                         double budget_ms);

}  // namespace chexnet_trt
