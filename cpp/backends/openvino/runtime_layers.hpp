#pragma once

#include <openvino/core/node.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace chexnet_trt::openvino {

/// Behind the name of the node that an op of ours computes: OpenVINO tells nothing else of it.
constexpr std::string_view kConcatNormaliseSuffix = "/ConcatNormalise";
constexpr std::string_view kLevelConvolutionSuffix = "/LevelConvolution";
constexpr std::string_view kNormalisedConvolutionSuffix = "/NormalisedConvolution";

using LayerNames = std::vector<std::string>;

/// What a node of a runtime model says of itself: "layerType", "primitiveType" ...; "" if nothing.
std::string runtime_info(const ov::Node& node, const std::string& key);

/// The type of a layer that is an op of ours; "" for OpenVINO's own.
std::string own_type(const ov::Node& node);

/// Names of the lowered nodes that a layer of a runtime model computes. OpenVINO joins them by
/// commas: a name that holds one is lost.
LayerNames node_names(const ov::Node& node);

}  // namespace chexnet_trt::openvino
