#include "backends/cuda/layers.hpp"

#include "backends/cuda/back_to_back.hpp"

namespace chexnet_trt::cuda {

std::vector<Layer> layers_of(const Program& program, const Tactics& tactics) {
  std::vector<Layer> layers;
  for (std::size_t step = 0; step < program.steps.size(); ++step) {
    const ConvKernel kernel = conv_tiles().at(tactics.at(step)).kernel;
    if (kernel == ConvKernel::kJoined) continue;
    layers.push_back({{step}});
    if (kernel == ConvKernel::kBackToBack) {
      layers.back().steps.push_back(back_to_back_at(program, step)->second);
    }
  }
  return layers;
}

std::string name_of(const Layer& layer, const Program& program) {
  std::string name;
  for (const std::size_t step : layer.steps) {
    name += (name.empty() ? "" : " + ") + program.steps[step].name;
  }
  return name;
}

std::vector<std::string> nodes_of(const Layer& layer, const Program& program) {
  std::vector<std::string> nodes;
  for (const std::size_t step : layer.steps) {
    const std::vector<std::string>& own = program.steps[step].nodes;
    nodes.insert(nodes.end(), own.begin(), own.end());
  }
  return nodes;
}

}  // namespace chexnet_trt::cuda
