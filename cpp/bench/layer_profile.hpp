#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace chexnet_trt {

/// Times of one layer over a profiled run, milliseconds.
struct LayerProfile {
  std::string name;
  double total_ms = 0;
  double average_ms = 0;
  double median_ms = 0;
  /// Of all layers together.
  double percentage = 0;
};

/// One entry a layer, in the order of the first run. A layer that a run lacks counts 0 there.
std::vector<LayerProfile> summarize_layers(const std::vector<std::vector<LayerTime>>& runs);

/// Runs `iterations` inferences on random input, after one that is dropped. Raises InputError when
/// the engine was not built or loaded with profiling.
std::vector<LayerProfile> profile_layers(const std::shared_ptr<Engine>& engine, std::int64_t batch,
                                         int iterations);

}  // namespace chexnet_trt
