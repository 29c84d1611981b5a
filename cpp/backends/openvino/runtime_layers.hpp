#pragma once

#include <openvino/core/node.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace chexnet_trt::openvino {

/// Behind the name of what a ConcatNormalise stores: OpenVINO tells nothing else of an op of ours.
constexpr std::string_view kConcatNormaliseSuffix = "/ConcatNormalise";

using LayerNames = std::vector<std::string>;

/// What a node of a runtime model says of itself: "layerType", "primitiveType" ...; "" if nothing.
std::string runtime_info(const ov::Node& node, const std::string& key);

/// True for a layer that is a ConcatNormalise.
bool is_concat_normalise(const ov::Node& node);

/// Names of the lowered nodes that a layer of a runtime model computes. OpenVINO joins them by
/// commas: a name that holds one is lost.
LayerNames node_names(const ov::Node& node);

}  // namespace chexnet_trt::openvino
