#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backends/backend.hpp"
#include "engine/tensor_info.hpp"

namespace chexnet_trt {

/// A part of a batch: `executable` runs `batch` items.
struct Slice {
  std::shared_ptr<Executable> executable;
  std::int64_t batch = 1;
};

/// Whether a batch of this network may run in slices: every input and output has a batch.
bool can_slice(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs);

/// Runs a batch as slices, enqueued at once. A large batch streams its activations through memory
/// where a small one stays in the caches; slices of executables that were compiled for several streams
/// run side by side.
std::shared_ptr<Executable> make_sliced(std::vector<Slice> slices, std::vector<TensorInfo> inputs,
                                        std::vector<TensorInfo> outputs);

}  // namespace chexnet_trt
