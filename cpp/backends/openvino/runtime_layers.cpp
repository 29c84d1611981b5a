#include "backends/openvino/runtime_layers.hpp"

#include <sstream>
#include <string_view>

namespace chexnet_trt::openvino {

namespace {

bool ends_with(std::string_view name, std::string_view suffix) {
  return name.size() >= suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
}

/// An int8 matmul has the name of the multiplication that restores its scale.
std::string without_suffix(const std::string& name) {
  for (const std::string_view suffix : {std::string_view("/DequantizationMultiply"),
                                        kConcatNormaliseSuffix, kNormalisedConvolutionSuffix}) {
    if (ends_with(name, suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return name;
}

}  // namespace

std::string runtime_info(const ov::Node& node, const std::string& key) {
  const auto found = node.get_rt_info().find(key);
  return found == node.get_rt_info().end() ? "" : found->second.as<std::string>();
}

std::string own_type(const ov::Node& node) {
  if (runtime_info(node, "layerType") != "Reference") return "";
  for (const std::string_view suffix : {kConcatNormaliseSuffix, kNormalisedConvolutionSuffix}) {
    if (ends_with(node.get_friendly_name(), suffix)) return std::string(suffix.substr(1));
  }
  return "";
}

LayerNames node_names(const ov::Node& node) {
  LayerNames names;
  std::stringstream joined(runtime_info(node, "originalLayersNames"));
  for (std::string name; std::getline(joined, name, ',');) names.push_back(without_suffix(name));
  return names;
}

}  // namespace chexnet_trt::openvino
