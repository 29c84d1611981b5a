#pragma once

#include <cstddef>
#include <optional>

#include "backends/cuda/step_arguments.hpp"

namespace chexnet_trt::cuda {

/// A step with all its addresses, ready to be launched.
class BoundStep {
 public:
  BoundStep(const Program& program, const MemoryPlan& plan, const DeviceConstants& constants,
            const DeviceMemory& memory, std::size_t step);

  /// `tile` counts for a convolution alone (conv_tiles).
  cudaError_t launch(std::size_t tile, cudaStream_t stream) const;

 private:
  StepArguments arguments_;
  std::optional<BackToBackArguments> back_to_back_;  ///< of a pair's first step
};

}  // namespace chexnet_trt::cuda
