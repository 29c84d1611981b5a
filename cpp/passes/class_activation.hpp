#pragma once

#include "graph/graph.hpp"

namespace chexnet_trt {

/// The output that `add_class_activation` adds, and its layer with weights: what stays in floating
/// point when the graph is quantised.
inline constexpr const char* kClassActivationOutput = "class_activation_maps";
inline constexpr const char* kClassActivationLayer = "class_activation_maps/conv2d";

/// The graph with one output more: how much each place of the last feature map adds to the logit of
/// each class, float [batch, classes, height, width] (class activation maps: Zhou et al. 2016,
/// arXiv:1512.04150). The mean of a map, and the bias of its class, are the logit. Raises
/// InputError that says what differs when the scores are not the sigmoid of a dense layer on the
/// spatial mean of a feature map.
Graph add_class_activation(const Graph& graph);

}  // namespace chexnet_trt
