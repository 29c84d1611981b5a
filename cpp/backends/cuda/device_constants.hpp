#pragma once

#include <cstddef>
#include <limits>
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
  const float* units = nullptr;         ///< unit_affine.hpp
  const float* prologue_mul = nullptr;  ///< of a convolution's prologue, as are the next ones
  const float* prologue_add = nullptr;
  const float* prologue_units = nullptr;
  const std::byte* back_to_back = nullptr;  ///< back_to_back.hpp, of a pair's first step
};

/// Weights, scales and shifts of a program as they are to lie in device memory, on the host.
class PackedConstants {
 public:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  /// Where the constants of a step lie, in bytes; kNone where it has none.
  struct Offsets {
    std::size_t weights, mul, add, second_mul, second_add, units, prologue_mul, prologue_add,
        prologue_units, back_to_back;
  };

  explicit PackedConstants(const Program& program);

  const std::vector<std::byte>& bytes() const { return bytes_; }
  const std::vector<Offsets>& steps() const { return steps_; }

 private:
  std::size_t add(const void* data, std::size_t size);
  std::size_t add(const std::vector<std::byte>& bytes);
  std::size_t add(const std::vector<float>& values);

  std::vector<std::byte> bytes_;
  std::vector<Offsets> steps_;
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
