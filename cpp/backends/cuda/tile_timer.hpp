#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "backends/cuda/bound_step.hpp"
#include "backends/cuda/device_memory.hpp"

namespace chexnet_trt::cuda {

/// Times convolutions on the current device (TimeTile, tactics.hpp).
class TileTimer {
 public:
  /// `steps`: bound to memory that may be overwritten.
  explicit TileTimer(const std::vector<BoundStep>& steps) : steps_(steps) {}

  /// The least of some rounds.
  std::optional<double> time(std::size_t step, std::size_t tile);

 private:
  const std::vector<BoundStep>& steps_;
  Stream stream_;
  Event start_;
  Event end_;
};

}  // namespace chexnet_trt::cuda
