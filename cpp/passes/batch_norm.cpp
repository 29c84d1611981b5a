#include "passes/batch_norm.hpp"

#include <cmath>

namespace chexnet_trt::passes {

std::optional<ChannelAffine> batch_norm_affine(const Graph& graph, const Node& node) {
  if (node.op != Op::kBatchNorm) return std::nullopt;
  for (std::size_t index = 1; index < node.inputs.size(); ++index) {
    if (graph.constant(node.inputs[index]) == nullptr) return std::nullopt;
  }
  const auto parameter = [&](std::size_t index) {
    return graph.constant(node.inputs[index])->to_doubles();
  };
  ChannelAffine affine{parameter(1), parameter(2)};
  const std::vector<double> mean = parameter(3);
  const std::vector<double> variance = parameter(4);
  const double epsilon = std::get<BatchNormAttributes>(node.attributes).epsilon;
  for (std::size_t c = 0; c < affine.mul.size(); ++c) {
    affine.mul[c] /= std::sqrt(variance[c] + epsilon);
    affine.add[c] -= mean[c] * affine.mul[c];
  }
  return affine;
}

}  // namespace chexnet_trt::passes
