#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "calibration/algorithm.hpp"
#include "calibration/histogram.hpp"
#include "common/byte_view.hpp"
#include "graph/dynamic_range.hpp"

namespace chexnet_trt {

/// An observed float32 array of one batch; somebody else's memory.
struct Activation {
  const float* data = nullptr;
  std::size_t size = 0;  // elements
};

/// Runs `batch` images (the network's inputs, in its order) and returns the observed values in the
/// order of the calibrator's names. The arrays stay valid until the next call.
using RunBatch =
    std::function<std::vector<Activation>(const std::vector<ByteView>& inputs, std::int64_t batch)>;

/// Finds the dynamic ranges of values by running a network on representative images. Holds a
/// histogram a value (32 KiB) and no activations; the result depends neither on the batch size nor
/// on the order of the images nor on `threads`. One thread at a time.
class Calibrator {
 public:
  /// `names`: of the values that `run` returns. `threads` (at least 1): for counting.
  Calibrator(std::vector<std::string> names, RunBatch run, int threads);

  /// Raises InputError naming the first value that holds NaN or infinity; the calibrator is of no
  /// further use then.
  void add(const std::vector<ByteView>& inputs, std::int64_t batch);
  /// Images so far.
  std::int64_t image_count() const { return image_count_; }

  /// The ranges of every value, exactly as a calibration table holds them (`storable_amax`). Raises
  /// InputError before the first image.
  DynamicRanges ranges(const CalibrationMethod& method) const;

 private:
  std::vector<std::string> names_;
  RunBatch run_;
  int threads_;
  std::vector<Histogram> histograms_;
  std::int64_t image_count_ = 0;
};

}  // namespace chexnet_trt
