#include "calibration/thresholds.hpp"

namespace chexnet_trt {

double min_max_threshold(const Histogram& histogram) {
  const double max_abs = histogram.max_abs();
  return max_abs < kSmallestAmax ? kAmaxOfZeros : max_abs;
}

}  // namespace chexnet_trt
