#pragma once

#include <optional>
#include <vector>

#include "common/tensor.hpp"

namespace chexnet_trt {

/// `tensor`, broadcast against a value of `shape`, as one number a channel; empty when it varies
/// along another axis or widens the value.
std::optional<std::vector<double>> per_channel(const Tensor& tensor, const Shape& shape,
                                               std::size_t channel_axis);

}  // namespace chexnet_trt
