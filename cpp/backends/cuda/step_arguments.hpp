#pragma once

#include <cstddef>
#include <variant>
#include <vector>

#include "backends/cuda/device_constants.hpp"
#include "backends/cuda/kernels/kernels.hpp"
#include "backends/cuda/kernels/simple.hpp"
#include "backends/cuda/memory_plan.hpp"
#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// Where one execution keeps things: values in `arena`, bindings (inputs, then outputs) in
/// `bindings`.
struct DeviceMemory {
  std::byte* arena = nullptr;
  std::vector<std::byte*> bindings;
};

struct MapArguments : PixelArguments {};
struct MeanArguments : PixelArguments {};

/// What the kernel of a step is launched with.
using StepArguments =
    std::variant<InputArguments, ConvArguments, PoolArguments, MapArguments, MeanArguments,
                 DenseArguments, OutputArguments, ArgMaxArguments, FlattenArguments,
                 SoftmaxArguments, GroupedConvArguments, TransposedConvArguments, UnaryArguments,
                 PairArguments, WindowArguments, LrnArguments, ReduceArguments>;

StepArguments bind_step(const Program& program, const MemoryPlan& plan,
                        const StepConstants& constants, const DeviceMemory& memory,
                        const Step& step);

}  // namespace chexnet_trt::cuda
