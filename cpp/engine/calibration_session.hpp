#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "calibration/calibrator.hpp"
#include "engine/engine.hpp"
#include "engine/host_buffers.hpp"
#include "graph/dynamic_range.hpp"
#include "passes/observe.hpp"

namespace chexnet_trt {

class ExecutionContext;

struct CalibrationOptions {
  std::string backend = "openvino";
  CalibrationMethod method;
  /// Largest batch of `add`.
  std::int64_t max_batch = 1;
  /// CPU threads of the network and of counting; 0: every core that the process may use.
  int threads = 0;
  /// Numbers of a value that are counted for an item, on a regular grid of positions; 0: all. The
  /// extremes that minmax takes are always those of all numbers.
  std::int64_t sample_limit = 16384;
};

/// Calibration joined to a backend: runs the network in fp32, observes the values that int8 reads
/// (quantization_points) and finds their dynamic ranges. One thread at a time.
class CalibrationSession {
 public:
  /// `graph` is optimised (passes/pipeline.hpp): the ranges name its values. Raises InputError when
  /// there is nothing to quantise, BackendError when the network does not compile.
  CalibrationSession(const Graph& graph, const CalibrationOptions& options);
  CalibrationSession(const Graph& graph, const CalibrationOptions& options, Backend& backend);
  ~CalibrationSession();

  const std::vector<TensorInfo>& inputs() const { return engine_->inputs(); }
  /// `inputs`: the bytes of `batch` items for each input, in the network's order. Raises InputError
  /// on a wrong size, and naming the input or the observed value that is not finite.
  void add(const std::vector<ByteView>& inputs, std::int64_t batch);
  std::int64_t image_count() const { return calibrator_->image_count(); }
  /// Raises InputError before the first image.
  DynamicRanges ranges() const;

 private:
  std::vector<Activation> run(const std::vector<ByteView>& inputs, std::int64_t batch);

  CalibrationMethod method_;
  std::shared_ptr<Engine> engine_;  ///< its outputs are observations
  std::shared_ptr<ExecutionContext> context_;
  std::unique_ptr<HostBuffers> buffers_;
  std::unique_ptr<Calibrator> calibrator_;
};

}  // namespace chexnet_trt
