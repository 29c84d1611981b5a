#pragma once

#include <openvino/core/node.hpp>
#include <string>
#include <vector>

namespace chexnet_trt::openvino {

using LayerNames = std::vector<std::string>;

/// What a node of a runtime model says of itself: "layerType", "primitiveType" ...; "" if nothing.
std::string runtime_info(const ov::Node& node, const std::string& key);

/// Names of the lowered nodes that a layer of a runtime model computes. OpenVINO joins them by
/// commas: a name that holds one is lost.
LayerNames node_names(const ov::Node& node);

}  // namespace chexnet_trt::openvino
