#pragma once

#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt {

/// The graph with its only image input (rank 4, layout nhwc or nchw, floating) taking uint8 pixels:
/// the pixels are cast and become (pixel - mean) / std, one mean and std a channel. Name, shape and
/// layout of the input stay. Raises InputError when there is no such input or more than one, or
/// when the numbers do not fit its channels.
Graph embed_preprocessing(const Graph& graph, const std::vector<double>& mean,
                          const std::vector<double>& std);

}  // namespace chexnet_trt
