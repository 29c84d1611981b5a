#pragma once

#include "graph/graph.hpp"

namespace chexnet_trt {

inline constexpr const char* kClassActivationOutput = "class_activation_maps";

/// The graph with one output more: how much each place of the last feature map adds to the logit of
/// each class, float [batch, classes, height, width] (class activation maps: Zhou et al. 2016,
/// arXiv:1512.04150). The mean of a map, and the bias of its class, are the logit; in a quantised
/// graph but for the rounding of the mean. Nothing on the way to the other outputs changes. Raises
/// InputError that says what differs when the scores are not the sigmoid of a dense layer on the
/// spatial mean of a feature map.
Graph add_class_activation(const Graph& graph);

}  // namespace chexnet_trt
