#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "engine/host_buffers.hpp"

namespace chexnet_trt {

/// A precision that the builder considered.
struct Candidate {
  Precision precision = Precision::kFloat32;
  /// nullptr when the device lacks it, and after the choice when it lost.
  std::shared_ptr<Executable> executable;
  /// Of one inference at the timing batch, on random input; empty when there was nothing to
  /// compare.
  std::optional<double> median_ms;
  int rounds = 0;
  bool chosen = false;
  /// Why it was chosen or not.
  std::string reason;
};

/// Times every candidate that has an executable, interleaved: at least 5 rounds. Sets median_ms and
/// rounds.
void time_candidates(std::vector<Candidate>& candidates, const HostBuffers& buffers,
                     double budget_ms);

/// Where nothing can be timed: of the candidates without a reason against them the lowest precision
/// stays, which is the last, and the others get one.
void keep_lowest(std::vector<Candidate>& candidates);

/// Marks the fastest candidate that has an executable; within 2 % of it the highest precision wins.
/// Raises Error when none has one.
Candidate& choose(std::vector<Candidate>& candidates);

}  // namespace chexnet_trt
