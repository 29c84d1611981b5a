#pragma once

#include <vector>

#include "backends/cuda/fusion/program_builder.hpp"

namespace chexnet_trt::cuda {

/// Puts v * mul + add behind `affine`, one number a channel each; empty: 1 and 0.
void compose(Affine& affine, const std::vector<double>& mul, const std::vector<double>& add);

/// Puts `reader` behind `affine` when it scales or shifts what it reads channel by channel.
bool compose(Affine& affine, const ProgramBuilder& builder, NodeId reader);

/// Whether one image of both is of the same size.
bool have_same_extents(const GraphView& view, NodeId a, NodeId b);

}  // namespace chexnet_trt::cuda
