#pragma once

#include <optional>

#include "backends/openvino/lowering.hpp"

namespace chexnet_trt::openvino {

/// Whether what `quantize` stores is a convolution that LevelConvolution computes: of 8-bit levels,
/// read by nothing else, maybe with stored int8 levels added, and scaled and shifted by channel.
bool is_stored_convolution(const LoweringContext& context, const Node& quantize);

/// What it stores, dequantised.
std::optional<Value> stored_convolution(const LoweringContext& context, const Node& quantize);

}  // namespace chexnet_trt::openvino
