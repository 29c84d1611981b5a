#include "backends/cuda/bound_step.hpp"

#include "backends/cuda/back_to_back.hpp"

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

BoundStep::BoundStep(const Program& program, const MemoryPlan& plan,
                     const DeviceConstants& constants, const DeviceMemory& memory, std::size_t step)
    : arguments_(bind_step(program, plan, constants.of(step), memory, program.steps.at(step))) {
  const BackToBack* pair = back_to_back_at(program, step);
  if (pair == nullptr) return;
  const StepArguments second =
      bind_step(program, plan, constants.of(pair->second), memory, program.steps.at(pair->second));
  back_to_back_ =
      BackToBackArguments{std::get<ConvArguments>(arguments_), std::get<ConvArguments>(second),
                          constants.of(step).back_to_back, pair->stores_middle};
}

cudaError_t BoundStep::launch(std::size_t tile, cudaStream_t stream) const {
  const ConvTile& shape = conv_tiles().at(tile);
  if (shape.kernel == ConvKernel::kBackToBack) {
    return back_to_back_ ? launch_back_to_back(*back_to_back_, shape, stream)
                         : cudaErrorInvalidValue;
  }
  return std::visit(Launcher{tile, stream}, arguments_);
}

}  // namespace chexnet_trt::cuda
