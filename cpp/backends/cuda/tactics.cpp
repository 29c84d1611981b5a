#include "backends/cuda/tactics.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

#include "common/error.hpp"

namespace chexnet_trt::cuda {
namespace {

bool is_conv(const Step& step) { return std::holds_alternative<ConvStep>(step.kind); }

/// Milliseconds of one launch, the least of some rounds; nothing when the tile cannot be launched.
class TileTimer {
 public:
  std::optional<double> time(const BoundStep& step, std::size_t tile) {
    constexpr int kRounds = 3;
    constexpr int kLaunches = 5;
    if (step.launch(tile, stream_.get()) != cudaSuccess) {
      cudaGetLastError();
      return std::nullopt;
    }
    double best = std::numeric_limits<double>::max();
    for (int round = 0; round < kRounds; ++round) {
      start_.record(stream_.get());
      for (int count = 0; count < kLaunches; ++count) {
        check(step.launch(tile, stream_.get()), "timing a kernel");
      }
      end_.record(stream_.get());
      end_.wait();
      best = std::min(best, end_.milliseconds_since(start_) / kLaunches);
    }
    return best;
  }

 private:
  Stream stream_;
  Event start_;
  Event end_;
};

std::size_t fastest(const BoundStep& step, TileTimer& timer) {
  std::size_t best = plain_conv_tile();
  double best_ms = std::numeric_limits<double>::max();
  for (std::size_t tile = 0; tile < conv_tiles().size(); ++tile) {
    const std::optional<double> ms = timer.time(step, tile);
    if (!ms || *ms >= best_ms) continue;
    best = tile;
    best_ms = *ms;
  }
  return best;
}

}  // namespace

Tactics choose_tactics(const Program& program, const std::vector<BoundStep>& steps,
                       TimingCache& cache) {
  TileTimer timer;
  Tactics tactics(steps.size(), 0);
  for (std::size_t index = 0; index < steps.size(); ++index) {
    if (!is_conv(program.steps[index])) continue;
    const std::string key = timing_key(program, program.steps[index]);
    const std::optional<std::size_t> known = cache.find(key);
    tactics[index] = known ? *known : fastest(steps[index], timer);
    cache.put(key, tactics[index]);
  }
  return tactics;
}

std::string name_of(const ConvTile& tile) {
  const std::string name = (tile.is_warpgroup ? "wgmma_" : "mma_") + std::to_string(tile.rows) +
                           "x" + std::to_string(tile.columns);
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
    const auto& tiles = conv_tiles();
    const auto found = std::find_if(tiles.begin(), tiles.end(),
                                    [&](const ConvTile& tile) { return name_of(tile) == line; });
    if (found == tiles.end()) throw BackendError("engine blob: no kernel '" + line + "'");
    tactics[index] = static_cast<std::size_t>(found - tiles.begin());
  }
  if (std::string rest; std::getline(lines, rest)) {
    throw BackendError("engine blob: kernels of more layers than the network has");
  }
  return tactics;
}

}  // namespace chexnet_trt::cuda
