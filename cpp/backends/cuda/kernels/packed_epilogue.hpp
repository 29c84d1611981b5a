#pragma once

#include "backends/cuda/kernels/epilogue_units.hpp"
#include "backends/cuda/kernels/kernels.hpp"

namespace chexnet_trt::cuda {

/// How levels of a value are told from the stored bytes: 2^23 + (byte ^ flip) - zero.
struct StoredLevels {
  unsigned flip = 0;
  float zero = 8388608.0F;
};

inline StoredLevels stored_levels(const DeviceValue& value) {
  if (value.element != ElementType::kInt8) return {};
  return {0x80808080U, 8388608.0F + 128.0F};
}

/// DeviceEpilogue as kernels use it that store everything as one type: constants of the launch.
struct PackedEpilogue {
  DeviceEpilogue epilogue;
  UnitRange range;
  UnitRange second_range;
  StoredLevels residual_levels;
  float residual_factor = 1;
  float floor_before = kNoFloor;  ///< before the residual is added, in units
  float floor = kNoFloor;         ///< of the output; of 8-bit values it lies in `range`
  float second_floor = kNoFloor;

  PackedEpilogue() = default;
  explicit PackedEpilogue(const DeviceEpilogue& from) : epilogue(from) {
    const bool has_residual = from.residual.data != nullptr;
    if (has_residual) floor_before = from.activation.floor;
    floor = has_residual ? from.activation_after.floor : from.activation.floor;
    second_floor = from.second_activation.floor;
    const EpilogueUnits units({from.output.element, from.output.scale, floor, from.second.element,
                               from.second.scale, second_floor});
    range = units.range;
    second_range = units.second_range;
    if (units.is_rounded && floor_before == 0) floor_before = units.first.offset;
    residual_levels = stored_levels(from.residual);
    residual_factor = from.residual.scale * units.first.add;
  }
};

}  // namespace chexnet_trt::cuda
