#pragma once

#include <openvino/core/node_output.hpp>
#include <optional>
#include <string>

#include "backends/openvino/lowering.hpp"

namespace chexnet_trt::openvino {

/// `value`, which a node `name` of the graph quantises to 0..255 steps of `scale`, dequantised
/// again, when it is relu(a * x + b) of images that are stored in 8 bits and joined by a concat, or of
/// any concat; a and b hold one value a channel.
std::optional<ov::Output<ov::Node>> requantized_image(const LoweringContext& context,
                                                      const ov::Output<ov::Node>& value,
                                                      float scale, const std::string& name);

}  // namespace chexnet_trt::openvino
