#pragma once

#include <optional>

#include "uff/import_node.hpp"
#include "uff/importer.hpp"

namespace chexnet_trt::uff {

/// Whether `node` may be an input of the network: Input, or _PlaceholderWithDefault.
bool is_input(const Node& node);

/// The shape in the file; no value when it is absent.
std::optional<Shape> declared_shape(const MetaGraph& meta, const Node& node);

/// How the network reads the input at `index`, by the first convolution, pooling or batch norm that
/// it reaches: as NHWC or NCHW. No value when there is none. `order` is `network.dependencies`.
std::optional<TensorLayout> consumed_layout(const Network& network,
                                            const std::vector<std::size_t>& order,
                                            std::size_t index);

/// Adds the input with the binding's shape, and what turns it into the value that the network
/// reads.
Value import_registered_input(NodeImporter& node, const RegisteredInput& registered,
                              std::optional<TensorLayout> consumed);

/// The same with the shape in the file; no value when that does not say every extent but the
/// leading one.
std::optional<Value> import_declared_input(NodeImporter& node,
                                           std::optional<TensorLayout> consumed);

}  // namespace chexnet_trt::uff
