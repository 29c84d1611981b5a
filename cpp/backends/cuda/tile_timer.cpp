#include "backends/cuda/tile_timer.hpp"

#include <algorithm>
#include <limits>

namespace chexnet_trt::cuda {

std::optional<double> TileTimer::time(std::size_t step, std::size_t tile) {
  constexpr int kRounds = 3;
  constexpr int kLaunches = 5;
  const BoundStep& timed = steps_.at(step);
  if (timed.launch(tile, stream_.get()) != cudaSuccess) {
    cudaGetLastError();  // else a later call reports it again
    return std::nullopt;
  }
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < kRounds; ++round) {
    start_.record(stream_.get());
    for (int count = 0; count < kLaunches; ++count) {
      check(timed.launch(tile, stream_.get()), "timing a kernel");
    }
    end_.record(stream_.get());
    end_.wait();
    best = std::min(best, end_.milliseconds_since(start_) / kLaunches);
  }
  return best;
}

}  // namespace chexnet_trt::cuda
