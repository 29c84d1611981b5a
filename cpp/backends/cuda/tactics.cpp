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

using IsCandidate = bool (*)(ConvKernel kernel);

bool is_alone(ConvKernel kernel) {
  return kernel != ConvKernel::kBackToBack && kernel != ConvKernel::kJoined;
}

bool is_back_to_back(ConvKernel kernel) { return kernel == ConvKernel::kBackToBack; }

/// Nothing when none can be launched.
std::optional<TimedTile> fastest(std::size_t step, IsCandidate is_candidate, const TimeTile& time) {
  std::optional<TimedTile> best;
  for (std::size_t tile = 0; tile < conv_tiles().size(); ++tile) {
    if (!is_candidate(conv_tiles()[tile].kernel)) continue;
    const std::optional<double> ms = time(step, tile);
    if (ms && (!best || *ms < best->milliseconds)) best = TimedTile{tile, *ms};
  }
  return best;
}

/// The same, or what `cache` knows by `key`.
std::optional<TimedTile> choose_tile(const std::string& key, std::size_t step,
                                     IsCandidate is_candidate, const TimeTile& time,
                                     TimingCache& cache) {
  if (const std::optional<KernelTime> known = cache.find(key)) {
    const std::optional<std::size_t> tile = tile_called(known->kernel);
    if (tile && is_candidate(conv_tiles()[*tile].kernel)) {
      return TimedTile{*tile, known->milliseconds};
    }
  }
  const std::optional<TimedTile> best = fastest(step, is_candidate, time);
  if (best) cache.put(key, {name_of(conv_tiles()[best->tile]), best->milliseconds});
  return best;
}

/// Where one kernel for two steps is faster than two, it gets both.
void join(const Program& program, const std::vector<std::optional<TimedTile>>& alone,
          const TimeTile& time, TimingCache& cache, Tactics& tactics) {
  for (const BackToBack& pair : program.back_to_back) {
    const std::optional<TimedTile>& first = alone[pair.first];
    const std::optional<TimedTile>& second = alone[pair.second];
    if (!first || !second) continue;
    const auto both =
        choose_tile(timing_key(program, pair), pair.first, is_back_to_back, time, cache);
    if (!both || both->milliseconds >= first->milliseconds + second->milliseconds) continue;
    tactics[pair.first] = both->tile;
    tactics[pair.second] = joined_conv_tile();
  }
}

/// Every step that says it is joined is, and no other.
bool fits_pairs(const Program& program, const Tactics& tactics) {
  const auto kernel_of = [&](std::size_t step) { return conv_tiles().at(tactics[step]).kernel; };
  std::vector<ConvKernel> missing(tactics.size(), ConvKernel::kWarp);
  for (const BackToBack& pair : program.back_to_back) {
    if (!is_back_to_back(kernel_of(pair.first))) continue;
    missing[pair.first] = ConvKernel::kBackToBack;
    missing[pair.second] = ConvKernel::kJoined;
  }
  for (std::size_t step = 0; step < tactics.size(); ++step) {
    const ConvKernel kernel = kernel_of(step);
    if ((is_alone(kernel) ? ConvKernel::kWarp : kernel) != missing[step]) return false;
  }
  return true;
}

bool fits_prologue(const Step& step, const ConvTile& tile) {
  return !tile.maps_first || std::get<ConvStep>(step.kind).prologue.has_value();
}

std::string prefix_of(ConvKernel kernel) {
  switch (kernel) {
    case ConvKernel::kWarp: return "mma_";
    case ConvKernel::kWarpgroup: return "wgmma_";
    case ConvKernel::kBackToBack: return "back_to_back_";
    default: return "window_";
  }
}

}  // namespace

Tactics choose_tactics(const Program& program, const TimeTile& time, TimingCache& cache) {
  Tactics tactics(program.steps.size(), 0);
  std::vector<std::optional<TimedTile>> alone(tactics.size());
  for (std::size_t index = 0; index < tactics.size(); ++index) {
    const Step& step = program.steps[index];
    if (!is_conv(step)) continue;
    alone[index] = choose_tile(timing_key(program, step), index, is_alone, time, cache);
    tactics[index] = alone[index] ? alone[index]->tile : plain_conv_tile();
  }
  join(program, alone, time, cache, tactics);
  return tactics;
}

std::string name_of(const ConvTile& tile) {
  if (tile.kernel == ConvKernel::kJoined) return "joined";
  const std::string name = (tile.maps_first ? "map_" : "") + prefix_of(tile.kernel) +
                           std::to_string(tile.rows) + "x" + std::to_string(tile.columns);
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
    if (!tile || !fits_prologue(program.steps[index], conv_tiles()[*tile])) {
      throw BackendError("engine blob: no kernel '" + line + "' for '" + program.steps[index].name +
                         "'");
    }
    tactics[index] = *tile;
  }
  if (std::string rest; std::getline(lines, rest)) {
    throw BackendError("engine blob: kernels of more layers than the network has");
  }
  if (!fits_pairs(program, tactics)) {
    throw BackendError("engine blob: a kernel for two layers where the network has no such two");
  }
  return tactics;
}

}  // namespace chexnet_trt::cuda
