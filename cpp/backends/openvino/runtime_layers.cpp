#include "backends/openvino/runtime_layers.hpp"

#include <array>
#include <sstream>
#include <string_view>

namespace chexnet_trt::openvino {

namespace {

constexpr std::array kOwnSuffixes{kConcatNormaliseSuffix, kLevelConvolutionSuffix,
                                  kNormalisedConvolutionSuffix};

bool ends_with(std::string_view name, std::string_view suffix) {
  return name.size() >= suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
}

/// The end of `name` that no node of the graph has: of an op of ours, or of an int8 matmul, which has
/// the name of the multiplication that restores its scale.
std::string_view suffix_of(const std::string& name) {
  constexpr std::string_view kMatmul = "/DequantizationMultiply";
  if (ends_with(name, kMatmul)) return kMatmul;
  for (const std::string_view suffix : kOwnSuffixes) {
    if (ends_with(name, suffix)) return suffix;
  }
  return "";
}

std::string without_suffix(const std::string& name) {
  return name.substr(0, name.size() - suffix_of(name).size());
}

}  // namespace

std::string runtime_info(const ov::Node& node, const std::string& key) {
  const auto found = node.get_rt_info().find(key);
  return found == node.get_rt_info().end() ? "" : found->second.as<std::string>();
}

std::string own_type(const ov::Node& node) {
  if (runtime_info(node, "layerType") != "Reference") return "";
  for (const std::string_view suffix : kOwnSuffixes) {
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
