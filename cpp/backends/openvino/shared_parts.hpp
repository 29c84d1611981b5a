#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

namespace chexnet_trt::openvino {

/// Parts of a work that threads share. Each begins with its own, which lie side by side, and helps
/// the others when it is done: no CPU waits for one that others also use.
class SharedParts {
 public:
  SharedParts(std::size_t parts, std::size_t threads);

  /// The next part for `thread`, below the number of threads; empty when all are taken. Every part is
  /// given once.
  std::optional<std::size_t> next(std::size_t thread);

 private:
  struct alignas(64) Range {
    std::atomic<std::size_t> next{0};
    std::size_t end = 0;
  };

  std::vector<Range> ranges_;
};

}  // namespace chexnet_trt::openvino
