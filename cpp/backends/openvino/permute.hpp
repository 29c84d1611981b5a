#pragma once

#include <cstddef>
#include <vector>

namespace chexnet_trt::openvino {

/// Writes to `target` the dense array `source` of extents `shape` and `element_size` bytes an
/// element with its axes reordered: axis i of the target is axis `order[i]` of the source.
void permute(const std::byte* source, const std::vector<std::size_t>& shape,
             const std::vector<std::size_t>& order, std::size_t element_size, std::byte* target);

}  // namespace chexnet_trt::openvino
