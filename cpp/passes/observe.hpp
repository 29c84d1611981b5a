#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt {

enum class Observation {
  /// Of an image value, a regular grid of positions with all their channels, at most `limit`
  /// numbers an item where that leaves a position; of any other value, all numbers.
  kSample,
  /// The smallest and the largest number of each item, of an image value by channel, so that the
  /// channels share the cores; of a value that cannot be negative the largest alone.
  kExtremes
};

struct ObserveOptions {
  Observation observation = Observation::kSample;
  /// 0: no limit.
  std::int64_t limit = 0;
};

/// `graph` with an observation of each of `values` (ascending, so that each is taken where its value
/// is computed) for its only outputs, "<name>/observed". Raises InputError on a value that is not
/// float32.
Graph observe(const Graph& graph, const std::vector<NodeId>& values, const ObserveOptions& options);

}  // namespace chexnet_trt
