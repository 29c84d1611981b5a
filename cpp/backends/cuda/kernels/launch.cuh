#pragma once

#include <cuda_runtime.h>

#include "backends/cuda/kernels/kernels.hpp"

namespace chexnet_trt::cuda {

constexpr int kThreads = 256;

inline unsigned blocks_for(std::int64_t threads) {
  return static_cast<unsigned>((threads + kThreads - 1) / kThreads);
}

inline bool is_vector_aligned(const DeviceValue& value) {
  const auto bytes = 8 * size_of(value.element);
  const std::size_t word = bytes < 16 ? bytes : 16;
  return value.data == nullptr ||
         (reinterpret_cast<std::uintptr_t>(value.data) % word == 0 &&
          static_cast<std::size_t>(value.pitch) * size_of(value.element) % word == 0);
}

inline bool is_vector_aligned(const DeviceEpilogue& epilogue) {
  return is_vector_aligned(epilogue.residual) && is_vector_aligned(epilogue.output) &&
         is_vector_aligned(epilogue.second);
}

/// A launch that may begin while its predecessor in the stream ends (wait_for_predecessors), as a
/// cluster of `cluster` blocks along z.
template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, unsigned threads, std::size_t shared,
                   unsigned cluster, cudaStream_t stream, const Arguments&... arguments) {
  cudaLaunchAttribute attributes[2];
  attributes[0].id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attributes[0].val.programmaticStreamSerializationAllowed = 1;
  attributes[1].id = cudaLaunchAttributeClusterDimension;
  attributes[1].val.clusterDim.x = 1;
  attributes[1].val.clusterDim.y = 1;
  attributes[1].val.clusterDim.z = cluster;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  config.attrs = attributes;
  config.numAttrs = cluster > 1 ? 2 : 1;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

}  // namespace chexnet_trt::cuda
