#pragma once

#include <vector>

#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// Scales and shifts of a step's outputs in the units of its epilogue (kernels/epilogue_units.hpp):
/// four rows (scales, shifts, scales of the second output, its shifts) of a float a channel, the
/// channels rounded up to whole fours. Empty for steps whose kernels do not read them.
std::vector<float> unit_affine(const Program& program, const Step& step);
/// The same of a convolution's prologue, of its input's channels; empty when there is none.
std::vector<float> prologue_affine(const Program& program, const Step& step);

}  // namespace chexnet_trt::cuda
