#pragma once

#include "backends/openvino/lowering.hpp"

namespace chexnet_trt::openvino {

/// The node that alone reads `id`, once; nullptr when there are others or it is an output.
const Node* only_reader(const LoweringContext& context, NodeId id);

/// The int8 convolution that computes `id`, maybe with a bias, when nothing else reads either.
const Node* own_convolution(const LoweringContext& context, NodeId id);

}  // namespace chexnet_trt::openvino
