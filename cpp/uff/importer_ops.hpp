#pragma once

#include <string_view>

#include "uff/import_node.hpp"

namespace chexnet_trt::uff {

/// Adds one UFF node to the graph with TensorFlow's semantics and returns its value.
using Handler = Value (*)(NodeImporter& node);

/// The handler of a UFF operation, nullptr when there is none. Input and
/// _PlaceholderWithDefault belong to import_input.hpp.
Handler find_handler(std::string_view operation);

namespace handlers {

Value constant(NodeImporter& node);
Value identity(NodeImporter& node);
Value cast(NodeImporter& node);

Value conv(NodeImporter& node);
Value conv_transpose(NodeImporter& node);
Value pool(NodeImporter& node);
Value batch_norm(NodeImporter& node);
Value lrn(NodeImporter& node);

Value custom_batch_norm(NodeImporter& node);
Value custom_max_pool(NodeImporter& node);
Value custom_average_pool(NodeImporter& node);

Value fully_connected(NodeImporter& node);
Value binary(NodeImporter& node);
Value add(NodeImporter& node);
Value unary(NodeImporter& node);
Value activation(NodeImporter& node);
Value leaky_relu(NodeImporter& node);
Value softmax(NodeImporter& node);
Value reduce(NodeImporter& node);
Value arg_max(NodeImporter& node);
Value arg_min(NodeImporter& node);

Value reshape(NodeImporter& node);
Value squeeze(NodeImporter& node);
Value expand_dims(NodeImporter& node);
Value flatten(NodeImporter& node);
Value transpose(NodeImporter& node);
Value concat(NodeImporter& node);
Value stack(NodeImporter& node);
Value shape(NodeImporter& node);
Value strided_slice(NodeImporter& node);
Value pad(NodeImporter& node);
Value gather(NodeImporter& node);
Value gather_v2(NodeImporter& node);

}  // namespace handlers
}  // namespace chexnet_trt::uff
