#pragma once

#include "backends/cuda/step_arguments.hpp"

namespace chexnet_trt::testing {

/// What the kernel of a step does, in float64 but for what it stores, with pointers to the host's
/// memory.
void run_on_host(const cuda::StepArguments& arguments);

}  // namespace chexnet_trt::testing
