#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "uff/model.hpp"

namespace chexnet_trt::uff {

/// The nodes of the one graph in a UFF file, by name and in dependency order.
class Network {
 public:
  /// Raises InputError unless there is exactly one graph and its node ids are distinct. `meta`
  /// outlives the network.
  explicit Network(const MetaGraph& meta);

  const MetaGraph& meta() const { return meta_; }
  const std::vector<Node>& nodes() const { return meta_.graphs.front().nodes; }
  const Node& node(std::size_t index) const { return nodes()[index]; }
  /// Index of the node called `id`, or -1.
  std::ptrdiff_t find(std::string_view id) const;
  /// Indices of the producers of a node's inputs. Raises InputError on an input that names no node.
  std::vector<std::size_t> producers(std::size_t index) const;

  /// Every node that `roots` depend on, producers first. Raises InputError naming a node on a
  /// cycle, or whose input is missing.
  std::vector<std::size_t> dependencies(const std::vector<std::size_t>& roots) const;

 private:
  const MetaGraph& meta_;
  std::unordered_map<std::string_view, std::size_t> by_id_;
};

/// "node 'conv1/Conv2D' (Conv): ", the head of every message about a node.
std::string described(const Node& node);

}  // namespace chexnet_trt::uff
