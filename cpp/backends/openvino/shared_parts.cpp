#include "backends/openvino/shared_parts.hpp"

namespace chexnet_trt::openvino {

SharedParts::SharedParts(std::size_t parts, std::size_t threads) : ranges_(threads) {
  for (std::size_t thread = 0; thread < threads; ++thread) {
    ranges_[thread].next = parts * thread / threads;
    ranges_[thread].end = parts * (thread + 1) / threads;
  }
}

std::optional<std::size_t> SharedParts::next(std::size_t thread) {
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    Range& range = ranges_[(thread + i) % ranges_.size()];
    if (range.next.load(std::memory_order_relaxed) >= range.end) continue;
    const std::size_t part = range.next.fetch_add(1, std::memory_order_relaxed);
    if (part < range.end) return part;
  }
  return std::nullopt;
}

}  // namespace chexnet_trt::openvino
