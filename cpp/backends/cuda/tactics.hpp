#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/cuda/kernels/kernels.hpp"
#include "backends/cuda/program.hpp"
#include "backends/timing_cache.hpp"

namespace chexnet_trt::cuda {

/// For every step the tile that it runs with (conv_tiles); 0 where it has no choice.
using Tactics = std::vector<std::size_t>;

/// Milliseconds of one launch of step `step` with `tile`; nothing when it cannot be launched.
using TimeTile = std::function<std::optional<double>(std::size_t step, std::size_t tile)>;

/// Times every tile of every convolution, and of every two that one kernel can compute, that `cache`
/// does not know, and takes the fastest.
Tactics choose_tactics(const Program& program, const TimeTile& time, TimingCache& cache);

/// "wgmma_128x64", "window_256x64" or "mma_64x32x4", the last being the blocks that share a sum;
/// "map_wgmma_128x64" after a kernel for the prologue;
/// "back_to_back_128x64" for two convolutions, of which the second is "joined".
std::string name_of(const ConvTile& tile);

/// The names of the tiles of the convolutions, one a line: what a blob holds.
std::string to_text(const Program& program, const Tactics& tactics);
/// Raises BackendError when the text does not fit the program.
Tactics tactics_from_text(std::string_view text, const Program& program);

}  // namespace chexnet_trt::cuda
