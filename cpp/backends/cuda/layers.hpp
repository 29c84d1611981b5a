#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "backends/cuda/program.hpp"
#include "backends/cuda/tactics.hpp"

namespace chexnet_trt::cuda {

/// What a profile tells the time of: a step, or the two that one kernel computes.
struct Layer {
  std::vector<std::size_t> steps;
};

/// In the order in which they are launched.
std::vector<Layer> layers_of(const Program& program, const Tactics& tactics);

/// "conv", or "conv + next" for two.
std::string name_of(const Layer& layer, const Program& program);

/// The nodes of the graph that it computes.
std::vector<std::string> nodes_of(const Layer& layer, const Program& program);

}  // namespace chexnet_trt::cuda
