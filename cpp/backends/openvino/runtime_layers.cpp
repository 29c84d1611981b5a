#include "backends/openvino/runtime_layers.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace chexnet_trt::openvino {

namespace {

/// An int8 matmul has the name of the multiplication that restores its scale.
std::string without_suffix(const std::string& name) {
  constexpr std::string_view kSuffix = "/DequantizationMultiply";
  const std::size_t end = name.size() - std::min(name.size(), kSuffix.size());
  return name.compare(end, std::string::npos, kSuffix) == 0 ? name.substr(0, end) : name;
}

}  // namespace

std::string runtime_info(const ov::Node& node, const std::string& key) {
  const auto found = node.get_rt_info().find(key);
  return found == node.get_rt_info().end() ? "" : found->second.as<std::string>();
}

LayerNames node_names(const ov::Node& node) {
  LayerNames names;
  std::stringstream joined(runtime_info(node, "originalLayersNames"));
  for (std::string name; std::getline(joined, name, ',');) names.push_back(without_suffix(name));
  return names;
}

}  // namespace chexnet_trt::openvino
