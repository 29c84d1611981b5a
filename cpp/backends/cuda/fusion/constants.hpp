#pragma once

#include <vector>

#include "backends/cuda/fusion/program_builder.hpp"
#include "common/tensor.hpp"

namespace chexnet_trt::cuda {

std::vector<float> floats_of(const Tensor& tensor);

/// Constant weights of a layer, in 8 bits or floats.
struct LayerWeights {
  Tensor values;
  std::vector<float> scales;  ///< of int8 values, by index of the last axis; empty: floats
};

/// The second input of `layer`. Raises InputError when it is not constant.
LayerWeights weights_of(const ProgramBuilder& builder, NodeId layer);

Tensor as_floats(const LayerWeights& weights);

}  // namespace chexnet_trt::cuda
