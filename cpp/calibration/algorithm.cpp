#include "calibration/algorithm.hpp"

#include <array>
#include <sstream>

#include "calibration/thresholds.hpp"
#include "common/error.hpp"

namespace chexnet_trt {
namespace {

constexpr std::array<std::string_view, 3> kNames{"entropy", "minmax", "percentile"};

}  // namespace

std::string_view name_of(CalibrationAlgorithm algorithm) {
  return kNames.at(static_cast<std::size_t>(algorithm));
}

CalibrationAlgorithm calibration_algorithm_from_name(std::string_view name) {
  for (std::size_t index = 0; index < kNames.size(); ++index) {
    if (kNames.at(index) == name) return static_cast<CalibrationAlgorithm>(index);
  }
  throw InputError("unknown calibration algorithm '" + std::string(name) +
                   "': entropy, minmax or percentile");
}

std::string to_string(const CalibrationMethod& method) {
  std::ostringstream text;
  text << name_of(method.algorithm);
  if (method.algorithm == CalibrationAlgorithm::kPercentile) text << ' ' << method.percentile;
  return text.str();
}

double threshold(const Histogram& histogram, const CalibrationMethod& method) {
  switch (method.algorithm) {
    case CalibrationAlgorithm::kEntropy: return entropy_threshold(histogram);
    case CalibrationAlgorithm::kMinMax: return min_max_threshold(histogram);
    case CalibrationAlgorithm::kPercentile:
      return percentile_threshold(histogram, method.percentile);
  }
  throw InputError("unknown calibration algorithm");
}

}  // namespace chexnet_trt
