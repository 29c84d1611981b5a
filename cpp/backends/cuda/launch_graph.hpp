#pragma once

#include "backends/cuda/device_memory.hpp"

namespace chexnet_trt::cuda {

/// Launches on a stream as one CUDA graph, which costs the CPU one call.
class LaunchGraph {
 public:
  LaunchGraph() = default;
  ~LaunchGraph() {
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
  }
  LaunchGraph(const LaunchGraph&) = delete;
  LaunchGraph& operator=(const LaunchGraph&) = delete;

  /// Once. `launch()` returns the error of its launches on `stream`, which do not run.
  template <typename Launch>
  void capture(cudaStream_t stream, Launch launch) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing a graph");
    const cudaError_t launched = launch();
    cudaGraph_t captured = nullptr;
    const cudaError_t ended = cudaStreamEndCapture(stream, &captured);
    check(launched, "launching a kernel");
    check(ended, "capturing a graph");
    const cudaError_t made = cudaGraphInstantiate(&graph_, captured, 0);
    cudaGraphDestroy(captured);
    check(made, "making a graph");
  }
  void launch(cudaStream_t stream) const {
    check(cudaGraphLaunch(graph_, stream), "starting the inference");
  }

 private:
  cudaGraphExec_t graph_ = nullptr;
};

}  // namespace chexnet_trt::cuda
