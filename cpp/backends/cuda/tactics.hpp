#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "backends/cuda/bound_step.hpp"
#include "backends/cuda/program.hpp"
#include "backends/cuda/timing_cache.hpp"

namespace chexnet_trt::cuda {

/// For every step the tile that it runs with (conv_tiles); 0 where it has no choice.
using Tactics = std::vector<std::size_t>;

/// Times every tile of every convolution on the device and takes the fastest. `steps`: bound to
/// memory that may be overwritten.
Tactics choose_tactics(const Program& program, const std::vector<BoundStep>& steps,
                       TimingCache& cache);

/// "wgmma_128x64" or "mma_64x32x4", the last being the blocks that share a sum.
std::string name_of(const ConvTile& tile);

/// The names of the tiles of the convolutions, one a line: what a blob holds.
std::string to_text(const Program& program, const Tactics& tactics);
/// Raises BackendError when the text does not fit the program.
Tactics tactics_from_text(std::string_view text, const Program& program);

}  // namespace chexnet_trt::cuda
