#pragma once

#include "uff/import_node.hpp"

namespace chexnet_trt::uff {

/// The layout strings of UFF name the canonical axis of each stored axis: of data N, C, H, W, of
/// weights K, C, H, W, each numbered from 0. Operand `operand`'s entry of `inputs_orders`, with the
/// marker "and so on" expanded to `rank` axes; `absent` where the field is missing. Raises
/// InputError on anything but a permutation.
Axes stored_axes(const NodeImporter& node, std::size_t operand, std::size_t rank,
                 const Axes& absent);

/// The layout of the image operand 0: N+C or NC+.
TensorLayout image_layout(const NodeImporter& node);

/// Same as `image_layout`, for a node outside the import: no value when it does not say, or says
/// nonsense.
std::optional<TensorLayout> declared_layout(const MetaGraph& meta, const Node& node);

/// The permutation that brings weights stored as `stored` into the order `wanted`.
Axes permutation_between(const Axes& stored, const Axes& wanted);

}  // namespace chexnet_trt::uff
