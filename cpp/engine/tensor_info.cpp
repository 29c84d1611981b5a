#include "engine/tensor_info.hpp"

#include <limits>

#include "common/error.hpp"

namespace chexnet_trt {

std::vector<TensorInfo> input_infos(const Graph& graph) {
  std::vector<TensorInfo> infos;
  for (const NodeId id : graph.inputs()) {
    const Node& node = graph.node(id);
    const auto& input = std::get<InputAttributes>(node.attributes);
    infos.push_back({node.name, node.type.element, node.type.shape, input.layout});
  }
  return infos;
}

std::vector<TensorInfo> output_infos(const Graph& graph) {
  std::vector<TensorInfo> infos;
  for (const GraphOutput& output : graph.outputs()) {
    const ValueType& type = graph.node(output.value).type;
    infos.push_back({output.name, type.element, type.shape, TensorLayout::kPlain});
  }
  return infos;
}

std::size_t byte_count(const TensorInfo& info, std::int64_t batch) {
  const auto count = static_cast<std::uint64_t>(element_count(with_batch(info.shape, batch)));
  const std::uint64_t width = size_of(info.element);
  if (count > std::numeric_limits<std::size_t>::max() / width) {
    throw InputError("'" + info.name + "' of shape " + to_string(info.shape) + " is too large");
  }
  return count * width;
}

}  // namespace chexnet_trt
