#pragma once

#include <set>
#include <string>
#include <vector>

#include "graph/dynamic_range.hpp"
#include "graph/graph.hpp"

namespace chexnet_trt {

/// What values can be stored as: not every backend has uint8.
enum class QuantizedTypes { kInt8AndUInt8, kInt8 };

/// A value that is stored as int8 or uint8.
struct QuantizationPoint {
  NodeId value = -1;
  bool is_unsigned = false;
  /// Points of one group share a scale: their largest range.
  int group = 0;
};

/// The values that `quantize` stores in 8 bits, in the order of the graph: what a calibrator
/// observes. `high_precision` names nodes that stay float32: a convolution or matmul keeps its
/// weights and reads its input unquantised, any other op stops asking for 8 bits. `optimized` is
/// what the pipeline leaves. Raises InputError on a name that no node has.
std::vector<QuantizationPoint> quantization_points(
    const Graph& optimized, const std::set<std::string>& high_precision = {},
    QuantizedTypes types = QuantizedTypes::kInt8AndUInt8);

/// Puts quantize -> dequantize behind every quantisation point and turns the weights of the
/// convolutions and matmuls that read one into int8 constants with dequantize behind them. Inputs
/// and outputs stay as they are. Raises InputError naming the points that `ranges` lacks.
Graph quantize(const Graph& optimized, const DynamicRanges& ranges,
               const std::set<std::string>& high_precision = {},
               QuantizedTypes types = QuantizedTypes::kInt8AndUInt8);

}  // namespace chexnet_trt
