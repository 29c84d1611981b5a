#include "backends/cuda/tile_timer.hpp"

#include <algorithm>
#include <limits>

#include "backends/cuda/launch_graph.hpp"

namespace chexnet_trt::cuda {

std::optional<double> TileTimer::time(std::size_t step, std::size_t tile) {
  constexpr int kRounds = 4;
  constexpr int kLaunches = 6;
  const BoundStep& timed = steps_.at(step);
  if (timed.launch(tile, stream_.get()) != cudaSuccess) {
    cudaGetLastError();  // else a later call reports it again
    return std::nullopt;
  }
  LaunchGraph
      launches;  // as in an inference: the CPU's time for a launch is longer than some kernels
  launches.capture(stream_.get(), [&] {
    cudaError_t status = cudaSuccess;
    for (int count = 0; count < kLaunches && status == cudaSuccess; ++count) {
      status = timed.launch(tile, stream_.get());
    }
    return status;
  });
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < kRounds; ++round) {
    start_.record(stream_.get());
    launches.launch(stream_.get());
    end_.record(stream_.get());
    end_.wait();
    best = std::min(best, end_.milliseconds_since(start_) / kLaunches);
  }
  return best;
}

}  // namespace chexnet_trt::cuda
