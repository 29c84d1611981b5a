#pragma once

#include <cstddef>
#include <vector>

#include "backends/cuda/device_memory.hpp"
#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// The constants of one epilogue in memory; null where it has none.
struct EpilogueConstants {
  const float* mul = nullptr;
  const float* add = nullptr;
  const float* second_mul = nullptr;
  const float* second_add = nullptr;
  const float* units = nullptr;  ///< unit_affine.hpp
};

/// The constants of one step in memory; null where it has none.
struct StepConstants {
  const std::byte* weights = nullptr;
  EpilogueConstants epilogue;
  EpilogueConstants prologue;               ///< of a convolution
  const std::byte* back_to_back = nullptr;  ///< back_to_back.hpp, of a pair's first step
};

/// Weights, scales and shifts of a program as they are to lie in device memory, on the host.
class PackedConstants {
 public:
  explicit PackedConstants(const Program& program);

  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::size_t steps() const { return steps_.size(); }
  /// Those of a step in a copy of bytes() at `base`.
  StepConstants of(std::size_t step, const std::byte* base) const;

 private:
  struct EpilogueOffsets {
    std::size_t mul, add, second_mul, second_add, units;
  };
  struct StepOffsets {
    std::size_t weights;
    EpilogueOffsets epilogue, prologue;
    std::size_t back_to_back;
  };

  std::size_t add(const void* data, std::size_t size);
  std::size_t add(const std::vector<std::byte>& bytes);
  std::size_t add(const std::vector<float>& values);
  EpilogueOffsets add(const Epilogue& epilogue, const std::vector<float>& units);

  std::vector<std::byte> bytes_;
  std::vector<StepOffsets> steps_;
};

/// The same in one piece of memory of the current device.
class DeviceConstants {
 public:
  explicit DeviceConstants(const PackedConstants& packed);

  const StepConstants& of(std::size_t step) const { return steps_.at(step); }

 private:
  DeviceBuffer memory_;
  std::vector<StepConstants> steps_;
};

}  // namespace chexnet_trt::cuda
