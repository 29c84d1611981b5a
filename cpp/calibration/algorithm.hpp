#pragma once

#include <string>
#include <string_view>

#include "calibration/histogram.hpp"

namespace chexnet_trt {

enum class CalibrationAlgorithm { kEntropy, kMinMax, kPercentile };

/// "entropy", "minmax" or "percentile".
std::string_view name_of(CalibrationAlgorithm algorithm);
/// Raises InputError on any other name.
CalibrationAlgorithm calibration_algorithm_from_name(std::string_view name);

inline constexpr double kDefaultPercentile = 99.99;

/// An algorithm with its parameter.
struct CalibrationMethod {
  CalibrationAlgorithm algorithm = CalibrationAlgorithm::kEntropy;
  /// Read by kPercentile alone.
  double percentile = kDefaultPercentile;
};

/// "entropy", "minmax", "percentile 99.99": names what made a table.
std::string to_string(const CalibrationMethod& method);

/// Raised when the same images and method give other ranges than before. Version 1's entropy is the
/// published method but for keeping at least 99 % of the counts (thresholds.hpp).
inline constexpr int kCalibratorVersion = 1;

/// amax by `method` (thresholds.hpp).
double threshold(const Histogram& histogram, const CalibrationMethod& method);

}  // namespace chexnet_trt
