#include "backends/cuda/graph_view.hpp"

#include "common/error.hpp"
#include "graph/op_table.hpp"
#include "graph/per_channel.hpp"

namespace chexnet_trt::cuda {
namespace {

const Axes kToNhwc{0, 2, 3, 1};
const Axes kToNchw{0, 3, 1, 2};

TensorLayout attribute_layout(const Node& node) {
  return std::visit(
      [](const auto& fields) {
        using Fields = std::decay_t<decltype(fields)>;
        if constexpr (std::is_same_v<Fields, ConvAttributes> ||
                      std::is_same_v<Fields, ConvTransposeAttributes> ||
                      std::is_same_v<Fields, LrnAttributes> ||
                      std::is_same_v<Fields, PoolAttributes> ||
                      std::is_same_v<Fields, InputAttributes>) {
          return fields.layout;
        } else {
          return TensorLayout::kPlain;
        }
      },
      node.attributes);
}

/// [?, 1, 1, C], [?, C, 1, 1] or [?, C].
bool is_one_pixel(const Shape& shape) {
  if (shape.size() == 2) return true;
  return shape.size() == 4 && shape[2] == 1 && (shape[1] == 1 || shape[3] == 1);
}

}  // namespace

void refuse(const Node& node, const std::string& why) {
  throw InputError("'" + node.name + "' (" + std::string(name_of(node.op)) +
                   "): the cuda backend " + why);
}

GraphView::GraphView(const Graph& graph) : graph_(graph) {
  const std::size_t count = graph.nodes().size();
  readers_.resize(count);
  for (const Node& node : graph.nodes()) {
    layouts_.push_back(infer_layout(node));
    alias_.push_back(infer_alias(node));
    if (alias_.back()) continue;
    for (const NodeId input : node.inputs) {
      readers_[static_cast<std::size_t>(source(input))].push_back(
          static_cast<NodeId>(alias_.size() - 1));
    }
  }
  for (const GraphOutput& output : graph.outputs()) {
    readers_[static_cast<std::size_t>(source(output.value))].push_back(-1);
  }
}

TensorLayout GraphView::infer_layout(const Node& node) const {
  if (node.type.shape.size() != 4 || node.op == Op::kConstant) return TensorLayout::kPlain;
  const TensorLayout own = attribute_layout(node);
  if (own != TensorLayout::kPlain || node.inputs.empty()) return own;
  TensorLayout given = TensorLayout::kPlain;
  for (const NodeId input : node.inputs) {
    if (given == TensorLayout::kPlain) given = layouts_[static_cast<std::size_t>(input)];
  }
  if (node.op == Op::kTranspose) {
    const Axes& permutation = std::get<TransposeAttributes>(node.attributes).permutation;
    if (permutation == kToNhwc) return TensorLayout::kNhwc;
    if (permutation == kToNchw) return TensorLayout::kNchw;
  }
  if (given == TensorLayout::kPlain && is_one_pixel(node.type.shape)) {
    return node.type.shape[1] == 1 ? TensorLayout::kNhwc : TensorLayout::kNchw;
  }
  return given;
}

bool GraphView::infer_alias(const Node& node) const {
  switch (node.op) {
    case Op::kIdentity: return true;
    case Op::kDequantize: return graph_.constant(node.inputs[0]) == nullptr;
    case Op::kReshape:
      return is_one_pixel(node.type.shape) && is_one_pixel(graph_.node(node.inputs[0]).type.shape);
    case Op::kTranspose: {
      const TensorLayout from = layout(node.inputs[0]);
      const Axes& permutation = std::get<TransposeAttributes>(node.attributes).permutation;
      return (from == TensorLayout::kNchw && permutation == kToNhwc) ||
             (from == TensorLayout::kNhwc && permutation == kToNchw);
    }
    default: return false;
  }
}

NodeId GraphView::source(NodeId id) const {
  while (is_alias(id)) id = graph_.node(id).inputs[0];
  return id;
}

std::size_t GraphView::channel_axis(NodeId id) const {
  return layout(id) == TensorLayout::kNhwc ? 3 : 1;
}

Extents GraphView::extents(NodeId id) const {
  const Node& node = graph_.node(id);
  const Shape& shape = node.type.shape;
  if (shape.size() == 2) return {1, 1, shape[1]};
  if (shape.size() != 4) refuse(node, "computes matrices and images alone");
  if (layout(id) == TensorLayout::kNhwc) return {shape[1], shape[2], shape[3]};
  if (layout(id) == TensorLayout::kNchw) return {shape[2], shape[3], shape[1]};
  refuse(node, "needs to know which axis holds the channels");
}

std::optional<std::vector<double>> GraphView::per_channel(const Tensor& tensor, NodeId id) const {
  return chexnet_trt::per_channel(tensor, graph_.node(id).type.shape, channel_axis(id));
}

}  // namespace chexnet_trt::cuda
