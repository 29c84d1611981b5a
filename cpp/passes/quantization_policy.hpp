#pragma once

#include <set>
#include <string>
#include <vector>

#include "passes/quantize.hpp"

namespace chexnet_trt::passes {

/// Where a graph computes in 8 bits.
struct QuantizationPlan {
  std::vector<QuantizationPoint> points;
  /// One entry a node: a convolution or matmul that multiplies int8 weights.
  std::vector<bool> has_int8_weights;
  /// One entry a node: a convolution or matmul kept in float32, which reads unquantised values.
  std::vector<bool> reads_float;
};

/// The placement policy; the rules are at the head of quantization_policy.cpp. Raises InputError on
/// a name that no node has.
QuantizationPlan plan_quantization(const Graph& optimized,
                                   const std::set<std::string>& high_precision,
                                   QuantizedTypes types);

}  // namespace chexnet_trt::passes
