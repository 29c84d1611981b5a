#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "backends/cuda/kernels/kernels.hpp"
#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// The fastest tile of every convolution that was timed in this process, so that a layer met again,
/// in this network or at the same batch of another, is not timed again. Thread-safe.
class TimingCache {
 public:
  std::optional<std::size_t> find(const std::string& key) const;
  void put(const std::string& key, std::size_t tile);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> tiles_;
};

/// All that the time of a convolution step depends on, but for the device.
std::string timing_key(const Program& program, const Step& step);

}  // namespace chexnet_trt::cuda
