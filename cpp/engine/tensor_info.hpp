#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt {

/// An input or output as callers see it. `shape` has kBatch where the batch goes.
struct TensorInfo {
  std::string name;
  ElementType element = ElementType::kFloat32;
  Shape shape;
  TensorLayout layout = TensorLayout::kPlain;
};

std::vector<TensorInfo> input_infos(const Graph& graph);
/// Outputs have the layout kPlain.
std::vector<TensorInfo> output_infos(const Graph& graph);

/// Bytes of the tensor for one batch. Raises InputError when they are too many to count.
std::size_t byte_count(const TensorInfo& info, std::int64_t batch);

}  // namespace chexnet_trt
