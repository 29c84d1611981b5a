#pragma once

#include <vector>

#include "backends/cuda/device_memory.hpp"
#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// The constants of one step in device memory; null where it has none.
struct StepConstants {
  const std::byte* weights = nullptr;
  const float* mul = nullptr;
  const float* add = nullptr;
  const float* second_mul = nullptr;
  const float* second_add = nullptr;
};

/// Weights, scales and shifts of a program, in one piece of device memory.
class DeviceConstants {
 public:
  explicit DeviceConstants(const Program& program);

  const StepConstants& of(std::size_t step) const { return steps_.at(step); }
  std::size_t bytes() const { return memory_.size(); }

 private:
  DeviceBuffer memory_;
  std::vector<StepConstants> steps_;
};

/// Weights [out][height][width][in] as `element`, the channels of every tap padded with zeros to
/// words of 16 bytes (kernels.hpp, ConvArguments).
std::vector<std::byte> packed_weights(const Tensor& weights, ElementType element);

}  // namespace chexnet_trt::cuda
