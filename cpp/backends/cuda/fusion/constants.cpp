#include "backends/cuda/fusion/constants.hpp"

namespace chexnet_trt::cuda {

std::vector<float> floats_of(const Tensor& tensor) {
  const std::vector<double> values = tensor.to_doubles();
  return {values.begin(), values.end()};
}

LayerWeights weights_of(const ProgramBuilder& builder, NodeId layer) {
  const Graph& graph = builder.graph();
  const NodeId id = builder.node(layer).inputs[1];
  if (const Tensor* constant = graph.constant(id)) return {*constant, {}};
  if (!builder.is_constant(id)) refuse(builder.node(layer), "needs constant weights");
  const std::vector<NodeId>& parts = builder.node(id).inputs;
  return {*graph.constant(parts[0]), floats_of(*graph.constant(parts[1]))};
}

Tensor as_floats(const LayerWeights& weights) {
  std::vector<float> values = floats_of(weights.values);
  for (std::size_t i = 0; i < values.size() && !weights.scales.empty(); ++i) {
    values[i] *= weights.scales[i % weights.scales.size()];
  }
  return Tensor::from_floats(weights.values.shape(), values);
}

}  // namespace chexnet_trt::cuda
