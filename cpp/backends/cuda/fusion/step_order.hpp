#pragma once

#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// Sorts the steps such that every value is written before it is read: a residual may be computed
/// by a later anchor than the step that adds it.
void sort_steps(Program& program);

}  // namespace chexnet_trt::cuda
