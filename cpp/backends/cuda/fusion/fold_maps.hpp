#pragma once

#include "backends/cuda/program.hpp"

namespace chexnet_trt::cuda {

/// Takes each map that one pointwise convolution alone reads into that convolution, as its prologue:
/// the scale-shift and relu in front of a layer of DenseNet, whose input others read as well. Only
/// where the kernels that know prologues take the convolution (kernels/word_mapper.cuh).
void fold_maps(Program& program);

}  // namespace chexnet_trt::cuda
