#pragma once

#include <cstddef>
#include <variant>
#include <vector>

#include "backends/cuda/device_constants.hpp"
#include "backends/cuda/kernels/kernels.hpp"
#include "backends/cuda/memory_plan.hpp"
#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// Where one execution keeps things: values in `arena`, bindings (inputs, then outputs) in
/// `bindings`.
struct DeviceMemory {
  std::byte* arena = nullptr;
  std::vector<std::byte*> bindings;
};

/// A step with all its addresses, ready to be launched.
class BoundStep {
 public:
  BoundStep(const Program& program, const MemoryPlan& plan, const DeviceConstants& constants,
            const DeviceMemory& memory, std::size_t step);

  bool is_conv() const { return std::holds_alternative<ConvArguments>(arguments_); }
  /// `tile` counts for a convolution alone (conv_tiles).
  cudaError_t launch(std::size_t tile, cudaStream_t stream) const;

 private:
  struct MapArguments : PixelArguments {};
  struct MeanArguments : PixelArguments {};

  std::variant<InputArguments, ConvArguments, PoolArguments, MapArguments, MeanArguments,
               DenseArguments, OutputArguments, ArgMaxArguments>
      arguments_;
};

}  // namespace chexnet_trt::cuda
