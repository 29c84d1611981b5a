#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt::reference {

/// Computes every output of `graph` in float64, by the definitions in attributes.hpp and nothing
/// else: the yardstick of the tests of passes and backends. `inputs`: one array for each of
/// `graph.inputs()`, in C order, for `batch` images.
/// `known` values are taken as they are given instead of computed.
std::vector<std::vector<double>> interpret(const Graph& graph, std::int64_t batch,
                                           const std::vector<std::vector<double>>& inputs,
                                           const std::map<NodeId, std::vector<double>>& known = {});

/// `count` values in [-1, 1) that depend on `seed` alone.
std::vector<double> random_values(std::size_t count, unsigned seed);

/// One random array for each input of `graph`.
std::vector<std::vector<double>> random_inputs(const Graph& graph, std::int64_t batch,
                                               unsigned seed);

}  // namespace chexnet_trt::reference
