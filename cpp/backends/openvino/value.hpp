#pragma once

#include <cstddef>
#include <memory>
#include <openvino/core/node_output.hpp>
#include <vector>

#include "graph/attributes.hpp"

namespace chexnet_trt::openvino {

/// Axes of a logical value in the order in which they lie in memory.
using Order = std::vector<std::size_t>;

/// A value of the graph as OpenVINO holds it: axis i of `output` is axis `order[i]` of the logical
/// value. A transpose changes `order` alone, so a network that is NHWC for TensorFlow runs on
/// channels-first tensors from its first convolution to its last.
struct Value {
  ov::Output<ov::Node> output;
  Order order;
};

Order identity_order(std::size_t rank);
/// The order that puts a rank-4 value of this layout into N, C, H, W.
Order channels_first_order(TensorLayout layout);

/// Where the logical axis lies in the physical shape.
std::size_t physical_axis(const Value& value, std::size_t logical_axis);
/// Entries given per logical axis, put into physical order.
template <typename T>
std::vector<T> to_physical(const Value& value, const std::vector<T>& per_axis) {
  std::vector<T> result;
  result.reserve(per_axis.size());
  for (const std::size_t axis : value.order) result.push_back(per_axis[axis]);
  return result;
}

/// True when the memory of `value` reads the same in `order` (only axes of extent 1 move).
bool same_memory(const Value& value, const Order& order);
/// `value` with `order`: as it is, a reshape when only axes of extent 1 move, constant data moved
/// now, or a Transpose.
Value arranged(const Value& value, const Order& order);
/// Physical = logical.
ov::Output<ov::Node> logical_output(const Value& value);

/// Another shape over the same memory; a constant keeps sharing its bytes.
ov::Output<ov::Node> reshaped(const ov::Output<ov::Node>& output, const ov::Shape& shape);
/// `value` with leading logical axes of extent 1 up to `rank`.
Value with_rank(const Value& value, std::size_t rank);

}  // namespace chexnet_trt::openvino
