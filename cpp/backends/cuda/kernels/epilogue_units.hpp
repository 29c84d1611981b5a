#pragma once

#include <limits>

#include "common/element_type.hpp"

// Where a kernel stores 8 bits its epilogue computes in units: the level, counted from the lowest,
// over the number of levels. Saturated to 0..1, a unit has been through relu and the range of the
// type.

namespace chexnet_trt::cuda {

constexpr float kNoFloor = -std::numeric_limits<float>::infinity();

/// How numbers become units and units bytes.
struct UnitRange {
  float range = 1;
  float offset = 0;  ///< the lowest level is -offset
  unsigned flip = 0;
};

/// `floor` 0: no level below zero is needed, so relu is the saturation.
inline UnitRange unit_range(ElementType element, float floor) {
  if (element == ElementType::kUInt8) return {255, 0, 0};
  if (element != ElementType::kInt8) return {};
  if (floor == 0) return {127, 0, 0};
  return {255, 128, 0x80808080U};
}

/// What scales and shifts are multiplied by, and added to shifts.
struct UnitFactors {
  float mul = 1;
  float add = 1;
  float offset = 0;
};

/// What the two outputs of an epilogue are stored as. Floors are of relu (0) or of nothing.
struct EpilogueTypes {
  ElementType output = ElementType::kFloat32;
  float output_scale = 1;
  float floor = kNoFloor;
  ElementType second = ElementType::kFloat32;
  float second_scale = 1;
  float second_floor = kNoFloor;
};

/// The first factors yield units of the output, the second units of the second output from levels of
/// the output, counted from its lowest. Where the output has no 8 bits, real numbers take the place
/// of its units.
struct EpilogueUnits {
  bool is_rounded = false;  ///< the output has 8 bits, stored or not
  UnitRange range;
  UnitRange second_range;
  UnitFactors first;
  UnitFactors second;

  explicit EpilogueUnits(const EpilogueTypes& types)
      : is_rounded(size_of(types.output) == 1),
        range(unit_range(types.output, types.floor)),
        second_range(unit_range(types.second, types.second_floor)) {
    if (is_rounded) {
      const float to_unit = 1.0F / types.output_scale / range.range;
      first = {to_unit, to_unit, range.offset / range.range};
    }
    const float to_second = 1.0F / types.second_scale / second_range.range;
    const float level = is_rounded ? types.output_scale : 1.0F;
    second = {level * to_second, to_second, second_range.offset / second_range.range};
  }
};

}  // namespace chexnet_trt::cuda
