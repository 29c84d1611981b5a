#include "graph/per_channel.hpp"

namespace chexnet_trt {

std::optional<std::vector<double>> per_channel(const Tensor& tensor, const Shape& shape,
                                               std::size_t channel_axis) {
  const Shape& own = tensor.shape();
  if (own.size() > shape.size()) return std::nullopt;
  const std::size_t skipped = shape.size() - own.size();
  for (std::size_t axis = 0; axis < own.size(); ++axis) {
    if (own[axis] != 1 && skipped + axis != channel_axis) return std::nullopt;
  }
  const auto channels = shape[channel_axis];
  if (tensor.size() != 1 && tensor.size() != channels) return std::nullopt;
  std::vector<double> values = tensor.to_doubles();
  if (values.size() == 1) values.assign(static_cast<std::size_t>(channels), values[0]);
  return values;
}

}  // namespace chexnet_trt
