#pragma once

#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt::cuda {

/// Height, width and channels of one image; a matrix has one pixel.
struct Extents {
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t channels = 1;
};

/// A graph as seen from memory, where every image lies as NHWC: which nodes move nothing there, and
/// who reads whom past them.
class GraphView {
 public:
  explicit GraphView(const Graph& graph);

  const Graph& graph() const { return graph_; }
  /// True for nodes that only rename what lies in memory: identity, a change of layout, a reshape
  /// between one pixel and a matrix, dequantize of a value.
  bool is_alias(NodeId id) const { return alias_[static_cast<std::size_t>(id)]; }
  /// `id` past the aliases: the node whose value lies in memory.
  NodeId source(NodeId id) const;
  /// The readers of a source past the aliases, with repetitions; -1: an output of the graph.
  const std::vector<NodeId>& readers(NodeId id) const {
    return readers_[static_cast<std::size_t>(id)];
  }
  TensorLayout layout(NodeId id) const { return layouts_[static_cast<std::size_t>(id)]; }
  std::size_t channel_axis(NodeId id) const;
  /// Raises InputError on other ranks than 2 and 4.
  Extents extents(NodeId id) const;
  /// `tensor`, an operand beside `id`, as one number a channel.
  std::optional<std::vector<double>> per_channel(const Tensor& tensor, NodeId id) const;

 private:
  TensorLayout infer_layout(const Node& node) const;
  bool infer_alias(const Node& node) const;

  const Graph& graph_;
  std::vector<TensorLayout> layouts_;
  std::vector<bool> alias_;
  std::vector<std::vector<NodeId>> readers_;
};

/// "'name' (op): why", as InputError.
[[noreturn]] void refuse(const Node& node, const std::string& why);

}  // namespace chexnet_trt::cuda
