#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace chexnet_trt {

/// The fastest kernel of a layer, as its backend names it, and the time that was measured.
struct KernelTime {
  std::string kernel;
  double milliseconds = 0;
};

/// By layer, as its backend describes it.
using KernelTimes = std::map<std::string, KernelTime>;

/// What a backend has measured on its device, so that a layer met again is not timed again.
/// Thread-safe.
class TimingCache {
 public:
  std::optional<KernelTime> find(const std::string& layer) const;
  void put(const std::string& layer, KernelTime time);
  /// Adds `times` of layers that are not there.
  void add(const KernelTimes& times);
  KernelTimes times() const;

 private:
  mutable std::mutex mutex_;
  KernelTimes times_;
};

}  // namespace chexnet_trt
