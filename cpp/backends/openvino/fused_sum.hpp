#pragma once

#include <openvino/runtime/compiled_model.hpp>

#include "backends/openvino/lowering.hpp"

namespace chexnet_trt::openvino {

/// Whether each of `sums` is computed by one convolution kernel of `model`, by the names that
/// OpenVINO keeps of the nodes in a layer.
bool is_fused(const ov::CompiledModel& model, const std::vector<FusedSum>& sums);

/// Operand `operand` of the add `node`, which OpenVINO is to compute into a convolution together
/// with the quantisation behind it: with a FakeQuantize on it that changes nothing. `value`
/// itself where that does not apply.
Value fused_sum_operand(const LoweringContext& context, const Node& node, std::size_t operand,
                        const Value& value);

}  // namespace chexnet_trt::openvino
