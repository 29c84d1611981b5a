#include "backends/openvino/readers.hpp"

namespace chexnet_trt::openvino {
namespace {

bool has_int8_weights(const Graph& graph, const Node& conv) {
  return graph.node(conv.inputs[1]).op == Op::kDequantize;
}

}  // namespace

const Node* only_reader(const LoweringContext& context, NodeId id) {
  const std::vector<NodeId>& readers = context.readers[static_cast<std::size_t>(id)];
  return readers.size() == 1 && readers[0] >= 0 ? &context.graph.node(readers[0]) : nullptr;
}

const Node* own_convolution(const LoweringContext& context, NodeId id) {
  if (only_reader(context, id) == nullptr) return nullptr;
  const Node& node = context.graph.node(id);
  if (node.op == Op::kConv2D) return has_int8_weights(context.graph, node) ? &node : nullptr;
  if (node.op != Op::kBinary || context.graph.constant(node.inputs[1]) == nullptr) return nullptr;
  if (std::get<BinaryAttributes>(node.attributes).kind != BinaryKind::kAdd) return nullptr;
  const Node& inner = context.graph.node(node.inputs[0]);
  const bool is_own = only_reader(context, node.inputs[0]) != nullptr;
  const bool is_int8 = inner.op == Op::kConv2D && has_int8_weights(context.graph, inner);
  return is_int8 && is_own ? &inner : nullptr;
}

}  // namespace chexnet_trt::openvino
