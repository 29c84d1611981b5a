#pragma once

#include <cstddef>
#include <vector>

#include "common/tensor.hpp"
#include "graph/attributes.hpp"

namespace chexnet_trt::cuda {

/// Weights of a convolution in the order of memory that its kernel reads.
/// [height][width][in][out] (the graph's) -> [out][height][width][in].
Tensor out_channels_first(const Tensor& weights);

/// Weights of a transposed convolution. [height][width][out][in] (the graph's) ->
/// [out][height][width][in].
Tensor transposed_out_channels_first(const Tensor& weights);

/// Weights of a convolution of stride 2, [out][height][width][in], for an input whose 2 x 2 blocks
/// are pixels (InputStep::block): [out][ceil(height / 2)][ceil(width / 2)][4 * in].
Tensor over_blocks(const Tensor& weights);

/// The element that a convolution multiplies by an input of `element`.
ElementType weight_element(ElementType element);

/// Weights [out][height][width][in] as `element`, the channels of every tap padded with zeros to
/// words of 16 bytes (kernels.hpp, ConvArguments).
std::vector<std::byte> packed_weights(const Tensor& weights, ElementType element);

}  // namespace chexnet_trt::cuda
