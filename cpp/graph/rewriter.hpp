#pragma once

#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt {

/// Rebuilds a graph node by node; the way passes rewrite. `map` holds the new id of each old node,
/// -1 while it has none.
class GraphRewriter {
 public:
  explicit GraphRewriter(const Graph& source);

  const Graph& source() const { return source_; }
  Graph& result() { return result_; }

  /// Copies the old node with its inputs mapped.
  NodeId copy(NodeId old_id);
  /// From now on users of `old_id` read `new_id`.
  void replace(NodeId old_id, NodeId new_id);
  /// A name for a new node that neither graph has, whatever is copied later.
  std::string unique_name(const std::string& base) const;
  NodeId mapped(NodeId old_id) const;
  std::vector<NodeId> mapped(const std::vector<NodeId>& old_ids) const;
  bool is_mapped(NodeId old_id) const { return map_.at(static_cast<std::size_t>(old_id)) >= 0; }

  /// Publishes the outputs and returns the new graph.
  Graph finish();

 private:
  const Graph& source_;
  Graph result_;
  std::vector<NodeId> map_;
};

}  // namespace chexnet_trt
