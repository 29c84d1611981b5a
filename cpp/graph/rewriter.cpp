#include "graph/rewriter.hpp"

#include <utility>

#include "common/error.hpp"

namespace chexnet_trt {

GraphRewriter::GraphRewriter(const Graph& source)
    : source_(source), map_(source.nodes().size(), -1) {}

NodeId GraphRewriter::copy(NodeId old_id) {
  const Node& node = source_.node(old_id);
  const NodeId new_id = result_.add(node.op, node.name, mapped(node.inputs), node.attributes);
  replace(old_id, new_id);
  return new_id;
}

void GraphRewriter::replace(NodeId old_id, NodeId new_id) {
  map_.at(static_cast<std::size_t>(old_id)) = new_id;
}

std::string GraphRewriter::unique_name(const std::string& base) const {
  std::string name = base;
  for (int suffix = 1; source_.find(name) >= 0 || result_.find(name) >= 0; ++suffix) {
    name = base + "_" + std::to_string(suffix);
  }
  return name;
}

NodeId GraphRewriter::mapped(NodeId old_id) const {
  const NodeId new_id = map_.at(static_cast<std::size_t>(old_id));
  if (new_id < 0)
    throw Error("a pass dropped node '" + source_.node(old_id).name + "' still in use");
  return new_id;
}

std::vector<NodeId> GraphRewriter::mapped(const std::vector<NodeId>& old_ids) const {
  std::vector<NodeId> new_ids;
  new_ids.reserve(old_ids.size());
  for (const NodeId old_id : old_ids) new_ids.push_back(mapped(old_id));
  return new_ids;
}

Graph GraphRewriter::finish() {
  for (const GraphOutput& output : source_.outputs()) {
    result_.add_output(output.name, mapped(output.value));
  }
  return std::move(result_);
}

}  // namespace chexnet_trt
