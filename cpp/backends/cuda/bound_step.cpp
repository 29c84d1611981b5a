#include "backends/cuda/bound_step.hpp"

namespace chexnet_trt::cuda {
namespace {

struct Launcher {
  std::size_t tile;
  cudaStream_t stream;
  cudaError_t operator()(const InputArguments& a) const { return launch_input(a, stream); }
  cudaError_t operator()(const ConvArguments& a) const { return launch_conv(a, tile, stream); }
  cudaError_t operator()(const PoolArguments& a) const { return launch_pool(a, stream); }
  cudaError_t operator()(const MapArguments& a) const { return launch_map(a, stream); }
  cudaError_t operator()(const MeanArguments& a) const { return launch_mean(a, stream); }
  cudaError_t operator()(const DenseArguments& a) const { return launch_dense(a, stream); }
  cudaError_t operator()(const OutputArguments& a) const { return launch_output(a, stream); }
  cudaError_t operator()(const ArgMaxArguments& a) const { return launch_arg_max(a, stream); }
  template <typename Arguments>
  cudaError_t operator()(const Arguments& a) const {
    return launch_simple(a, stream);
  }
};

}  // namespace

cudaError_t BoundStep::launch(std::size_t tile, cudaStream_t stream) const {
  return std::visit(Launcher{tile, stream}, arguments_);
}

}  // namespace chexnet_trt::cuda
