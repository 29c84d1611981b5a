#pragma once

#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt::passes {

/// x -> mul * x + add, a number a channel.
struct ChannelAffine {
  std::vector<double> mul;
  std::vector<double> add;
};

/// What `node` does to each channel, in float64: mul = gamma / sqrt(variance + epsilon), add = beta -
/// mean * mul. Nothing when it is no batch norm, or one whose parameters are not all constants.
std::optional<ChannelAffine> batch_norm_affine(const Graph& graph, const Node& node);

}  // namespace chexnet_trt::passes
