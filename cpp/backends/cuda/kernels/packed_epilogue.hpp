#pragma once

#include <limits>

#include "backends/cuda/kernels/kernels.hpp"

// The epilogue of kernels that store everything as one type. Where that has 8 bits they compute in
// units: the level, counted from the lowest, over the number of levels. Saturated to 0..1, a unit has
// been through relu and the range of the type.

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

/// How numbers become units and units bytes.
struct UnitRange {
  float range = 1;
  float offset = 0;  ///< the lowest level is -offset
  unsigned flip = 0;
};

/// `floor` 0: no level below zero is needed, so relu is the saturation.
inline UnitRange unit_range(const DeviceValue& value, float floor) {
  if (value.element == ElementType::kUInt8) return {255, 0, 0};
  if (value.element != ElementType::kInt8) return {};
  if (floor == 0) return {127, 0, 0};
  return {255, 128, 0x80808080U};
}

/// What PackedEpilogue multiplies scales and shifts by, and adds: the first yields units of the
/// output from sums, the second units of the second output from levels of the output, counted from
/// its lowest. Where the output has no 8 bits, real numbers take the place of its units.
struct UnitFactors {
  float mul = 1;
  float add = 1;
  float offset = 0;
};

/// DeviceEpilogue as the packed kernels use it: constants of the launch. Floors are of relu (0) or of
/// nothing (-infinity).
struct PackedEpilogue {
  DeviceEpilogue epilogue;
  UnitFactors first;
  UnitFactors second;
  UnitRange range;
  UnitRange second_range;
  StoredLevels residual_levels;
  bool is_rounded = true;  ///< the output has 8 bits, stored or not
  float residual_factor = 1;
  float floor_before = 0;  ///< before the residual is added, in units
  float floor = 0;         ///< of the output; of 8-bit values it lies in `range`
  float second_floor = 0;

  PackedEpilogue() = default;
  /// `input_scale`: of what is scaled and shifted, where that is levels and no sum of products.
  explicit PackedEpilogue(const DeviceEpilogue& from, float input_scale = 1) : epilogue(from) {
    const bool has_residual = from.residual.data != nullptr;
    floor_before = has_residual ? from.activation.floor : -std::numeric_limits<float>::infinity();
    floor = has_residual ? from.activation_after.floor : from.activation.floor;
    second_floor = from.second_activation.floor;
    first.mul = input_scale;
    residual_factor = from.residual.scale;
    residual_levels = stored_levels(from.residual);
    is_rounded = size_of(from.output.element) == 1;
    range = unit_range(from.output, floor);
    second_range = unit_range(from.second, second_floor);
    const float to_unit = from.output.inverse / range.range;
    if (is_rounded) {
      first = {to_unit * input_scale, to_unit, range.offset / range.range};
      if (floor_before == 0) floor_before = first.offset;
      residual_factor *= to_unit;
    }
    const float to_second = from.second.inverse / second_range.range;
    const float level = is_rounded ? from.output.scale : 1.0F;
    second = {level * to_second, to_second, second_range.offset / second_range.range};
  }
};

}  // namespace chexnet_trt::cuda
