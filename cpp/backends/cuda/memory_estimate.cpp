#include "backends/cuda/memory_estimate.hpp"

#include "common/error.hpp"

namespace chexnet_trt::cuda {

void require_memory(const MemoryEstimate& needed, const DeviceMemorySize& there,
                    const CompileOptions& options) {
  if (needed.total() <= there.free) return;
  throw BackendError("batch " + std::to_string(options.batch) + " in " +
                     std::string(name_of(options.precision)) + " needs about " +
                     mebibytes(needed.total()) + " of the GPU's memory (weights " +
                     mebibytes(needed.weights) + ", activations " + mebibytes(needed.activations) +
                     ", inputs and outputs " + mebibytes(needed.bindings) + "), and " +
                     mebibytes(there.free) + " of " + mebibytes(there.total) +
                     " are free: use a smaller batch, or end what else uses the GPU");
}

std::string mebibytes(std::size_t bytes) {
  constexpr std::size_t kMiB = std::size_t{1024} * 1024;
  return std::to_string(bytes / kMiB + (bytes % kMiB != 0 ? 1 : 0)) + " MiB";
}

}  // namespace chexnet_trt::cuda
