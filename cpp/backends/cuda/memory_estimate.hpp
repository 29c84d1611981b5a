#pragma once

#include <cstddef>
#include <string>

#include "backends/backend.hpp"

namespace chexnet_trt::cuda {

/// Device memory that something takes, bytes.
struct MemoryEstimate {
  std::size_t weights = 0;  ///< shared by the executions of a batch size
  std::size_t activations = 0;
  std::size_t bindings = 0;  ///< inputs and outputs

  std::size_t total() const { return weights + activations + bindings; }
};

struct DeviceMemorySize {
  std::size_t free = 0;
  std::size_t total = 0;
};

/// Raises BackendError that says how much is needed, what for, and how much there is, unless
/// `needed` fits into what is free.
void require_memory(const MemoryEstimate& needed, const DeviceMemorySize& there,
                    const CompileOptions& options);

/// "12 MiB", rounded up.
std::string mebibytes(std::size_t bytes);

}  // namespace chexnet_trt::cuda
