#include "backends/openvino/runtime_layers.hpp"

#include <sstream>

namespace chexnet_trt::openvino {

std::string runtime_info(const ov::Node& node, const std::string& key) {
  const auto found = node.get_rt_info().find(key);
  return found == node.get_rt_info().end() ? "" : found->second.as<std::string>();
}

LayerNames node_names(const ov::Node& node) {
  LayerNames names;
  std::stringstream joined(runtime_info(node, "originalLayersNames"));
  for (std::string name; std::getline(joined, name, ',');) names.push_back(name);
  return names;
}

}  // namespace chexnet_trt::openvino
