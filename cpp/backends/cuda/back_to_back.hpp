#pragma once

#include <cstddef>
#include <vector>

#include "backends/cuda/program.hpp"

// Pairs of convolutions that one kernel can compute (kernels/back_to_back.cuh).

namespace chexnet_trt::cuda {

/// Steps of two pointwise convolutions, of which the second reads nothing but what the first's
/// epilogue leaves last; the sizes are such that the kernel takes them. No step is in two pairs. In
/// the order of the first steps.
std::vector<BackToBack> find_back_to_back(const Program& program);

/// The pair that `step` is the first of; null: none.
const BackToBack* back_to_back_at(const Program& program, std::size_t step);

/// The value between them.
int middle_of(const Step& first);

/// The weights of both as the kernel copies them to shared memory: for every kMiddleChannels channels
/// of the middle
///   [words of 16 bytes of the first's input][those channels, dealt] words,
///   [words of those channels][channels of the second, dealt] words.
/// "Dealt" as column_deal.hpp says. The words of the middle are cut into 4 bytes, and of every 4 x 4
/// such pieces row and column are exchanged: that is how the sums of a thread become its fragment.
std::vector<std::byte> back_to_back_image(const Program& program, const BackToBack& pair);

}  // namespace chexnet_trt::cuda
