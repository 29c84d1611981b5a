#pragma once

#include <openvino/core/node_output.hpp>
#include <optional>

#include "backends/openvino/lowering.hpp"

namespace chexnet_trt::openvino {

/// `value`, which the node `quantize` of the graph quantises to 0..255 steps of `scale`, dequantised
/// again, when it is relu(conv2d(x, weights) + bias) of a 1x1 convolution in int8, x is what
/// ConcatNormalise makes and no other node reads what lies between.
std::optional<ov::Output<ov::Node>> convolved_image(const LoweringContext& context,
                                                    const ov::Output<ov::Node>& value, float scale,
                                                    const Node& quantize);

}  // namespace chexnet_trt::openvino
