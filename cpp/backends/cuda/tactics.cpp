#include "backends/cuda/tactics.hpp"

#include <algorithm>
#include <optional>
#include <sstream>

#include "backends/cuda/timing_key.hpp"
#include "common/error.hpp"

namespace chexnet_trt::cuda {
namespace {

bool is_conv(const Step& step) { return std::holds_alternative<ConvStep>(step.kind); }

/// The tile of that name; nothing when there is none, as in a cache of other kernels.
std::optional<std::size_t> tile_called(std::string_view name) {
  const auto& tiles = conv_tiles();
  const auto found = std::find_if(tiles.begin(), tiles.end(),
                                  [&](const ConvTile& tile) { return name_of(tile) == name; });
  if (found == tiles.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tiles.begin());
}

struct TimedTile {
  std::size_t tile = 0;
  double milliseconds = 0;
};

/// Nothing when none can be launched.
std::optional<TimedTile> fastest(std::size_t step, const TimeTile& time) {
  std::optional<TimedTile> best;
  for (std::size_t tile = 0; tile < conv_tiles().size(); ++tile) {
    const std::optional<double> ms = time(step, tile);
    if (ms && (!best || *ms < best->milliseconds)) best = TimedTile{tile, *ms};
  }
  return best;
}

std::size_t choose_tile(const Program& program, std::size_t step, const TimeTile& time,
                        TimingCache& cache) {
  const std::string key = timing_key(program, program.steps[step]);
  if (const std::optional<KernelTime> known = cache.find(key)) {
    if (const std::optional<std::size_t> tile = tile_called(known->kernel)) return *tile;
  }
  const std::optional<TimedTile> best = fastest(step, time);
  if (!best) return plain_conv_tile();
  cache.put(key, {name_of(conv_tiles()[best->tile]), best->milliseconds});
  return best->tile;
}

std::string prefix_of(ConvKernel kernel) {
  switch (kernel) {
    case ConvKernel::kWarp: return "mma_";
    case ConvKernel::kWarpgroup: return "wgmma_";
    default: return "window_";
  }
}

}  // namespace

Tactics choose_tactics(const Program& program, const TimeTile& time, TimingCache& cache) {
  Tactics tactics(program.steps.size(), 0);
  for (std::size_t index = 0; index < tactics.size(); ++index) {
    if (is_conv(program.steps[index])) tactics[index] = choose_tile(program, index, time, cache);
  }
  return tactics;
}

std::string name_of(const ConvTile& tile) {
  const std::string name =
      prefix_of(tile.kernel) + std::to_string(tile.rows) + "x" + std::to_string(tile.columns);
  return tile.splits == 1 ? name : name + "x" + std::to_string(tile.splits);
}

std::string to_text(const Program& program, const Tactics& tactics) {
  std::string text;
  for (std::size_t index = 0; index < tactics.size(); ++index) {
    if (is_conv(program.steps[index])) text += name_of(conv_tiles().at(tactics[index])) + "\n";
  }
  return text;
}

Tactics tactics_from_text(std::string_view text, const Program& program) {
  std::istringstream lines{std::string(text)};
  Tactics tactics(program.steps.size(), 0);
  for (std::size_t index = 0; index < tactics.size(); ++index) {
    if (!is_conv(program.steps[index])) continue;
    std::string line;
    std::getline(lines, line);
    const std::optional<std::size_t> tile = tile_called(line);
    if (!tile) throw BackendError("engine blob: no kernel '" + line + "'");
    tactics[index] = *tile;
  }
  if (std::string rest; std::getline(lines, rest)) {
    throw BackendError("engine blob: kernels of more layers than the network has");
  }
  return tactics;
}

}  // namespace chexnet_trt::cuda
