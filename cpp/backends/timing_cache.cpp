#include "backends/timing_cache.hpp"

#include <utility>

namespace chexnet_trt {

std::optional<KernelTime> TimingCache::find(const std::string& layer) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = times_.find(layer);
  if (found == times_.end()) return std::nullopt;
  return found->second;
}

void TimingCache::put(const std::string& layer, KernelTime time) {
  const std::lock_guard<std::mutex> lock(mutex_);
  times_.insert_or_assign(layer, std::move(time));
}

void TimingCache::add(const KernelTimes& times) {
  const std::lock_guard<std::mutex> lock(mutex_);
  times_.insert(times.begin(), times.end());
}

KernelTimes TimingCache::times() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return times_;
}

}  // namespace chexnet_trt
