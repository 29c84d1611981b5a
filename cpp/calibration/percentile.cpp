#include <algorithm>
#include <cmath>
#include <sstream>

#include "calibration/thresholds.hpp"
#include "common/error.hpp"

namespace chexnet_trt {
namespace {

void check(double percentile) {
  if (percentile > 0 && percentile <= 100) return;
  std::ostringstream text;
  text << "the percentile is " << percentile << "; give one above 0 and up to 100, such as 99.99";
  throw InputError(text.str());
}

}  // namespace

double percentile_threshold(const Histogram& histogram, double percentile) {
  check(percentile);
  const double max_abs = min_max_threshold(histogram);
  if (histogram.max_abs() < kSmallestAmax) return max_abs;
  double missing = percentile / 100 * static_cast<double>(histogram.total());
  double edge = 0;
  for (const std::uint64_t count : histogram.counts()) {
    const auto held = static_cast<double>(count);
    if (held >= missing)
      return std::clamp(edge + (histogram.bin_width() * missing / held), kSmallestAmax, max_abs);
    missing -= held;
    edge += histogram.bin_width();
  }
  return max_abs;
}

}  // namespace chexnet_trt
