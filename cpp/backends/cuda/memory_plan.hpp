#pragma once

#include <cstddef>
#include <vector>

#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// Where every value lies in one arena. Values that are never alive together share memory.
struct MemoryPlan {
  std::size_t bytes = 0;
  /// By value: byte offset of its first element.
  std::vector<std::size_t> offsets;
};

MemoryPlan plan_memory(const Program& program);

}  // namespace chexnet_trt::cuda
