#pragma once

#include <cstddef>
#include <vector>

#include "backends/backend.hpp"
#include "engine/host_buffers.hpp"

namespace chexnet_trt {

struct TimingBudget {
  std::size_t min_rounds = 5;
  double milliseconds = 1000;
};

/// Host time of one inference.
struct Timing {
  double median_ms = 0;
  int rounds = 0;
};

/// Runs all in turn, round by round so that drift of the machine hits all alike, after a warm-up run
/// each: at least `min_rounds` rounds, then until the time is spent or 200 are done.
std::vector<Timing> time_interleaved(const std::vector<Executable*>& executables,
                                     const HostBuffers& buffers, const TimingBudget& budget);

}  // namespace chexnet_trt
