#pragma once

#include "calibration/histogram.hpp"

namespace chexnet_trt {

// From a histogram of |x| to amax, the magnitude beyond which values saturate. Every function
// returns a finite amax of at least kSmallestAmax, so that scales are normal floats.

/// No |x| above this: the tensor counts as all zero.
inline constexpr double kSmallestAmax = 1e-30;
/// The amax of a tensor that is all zero: nothing is known of it, and 0 has no scale.
inline constexpr double kAmaxOfZeros = 1.0;

/// max |x|: nothing saturates.
double min_max_threshold(const Histogram& histogram);

/// The |x| that `percentile` percent of the values, zeros included, do not exceed; linear inside
/// the bin, never above max |x|. Raises InputError unless 0 < percentile <= 100.
double percentile_threshold(const Histogram& histogram, double percentile);

/// The upper edge (or max |x| if that is less) of the first i bins with the smallest Kullback-
/// Leibler divergence between what those bins hold and what 128 levels keep of it: S. Migacz,
/// "8-bit Inference with TensorRT", GTC 2017, in the details of NVIDIA's own code
/// (TensorRT-Model-Optimizer, modelopt/torch/quantization/calib/histogram.py). For each i from 128
/// to the bins in use:
/// - reference: the counts of the first i bins; all counts beyond are added to the last of them;
/// - candidate: the first i bins, bin j in level floor(j * 128 / i), where every non-empty bin of a
///   level gets the mean of them;
/// - both are normalised to sum 1; of equal divergences the largest i wins.
/// Smoothing: none. The first bin, where the zeros of ReLU and of padding pile up, takes the count
/// of the second beforehand. A bin empty in both adds nothing; an i whose last bin is empty while
/// there are counts beyond has an infinite divergence. An i whose bins hold less than 99 % of the
/// counts is no candidate, which is not part of the published method: where values begin far from
/// zero (films without black, say), the first bin that is not empty would represent itself exactly
/// and everything be cut off behind it.
double entropy_threshold(const Histogram& histogram);

}  // namespace chexnet_trt
