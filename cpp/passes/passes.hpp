#pragma once

#include <cstdint>

#include "graph/graph.hpp"

namespace chexnet_trt::passes {

// One rewrite a file; each file's head shows the graph before and after, and the conditions. Every
// pass keeps inputs and outputs and adds the number of its rewrites to `rewrites`.
using Pass = Graph (*)(const Graph& graph, int& rewrites);

Graph constant_folding(const Graph& graph, int& rewrites);
/// Folds while the constants of the graph take at most `max_bytes`; the pass above allows 1 GiB.
Graph constant_folding(const Graph& graph, int& rewrites, std::uint64_t max_bytes);
Graph remove_identities(const Graph& graph, int& rewrites);
Graph fold_pad(const Graph& graph, int& rewrites);
Graph fold_batch_norm(const Graph& graph, int& rewrites);
Graph batch_norm_to_scale_shift(const Graph& graph, int& rewrites);
Graph merge_scale_shift(const Graph& graph, int& rewrites);
Graph pool_before_conv(const Graph& graph, int& rewrites);
Graph remove_dead_nodes(const Graph& graph, int& rewrites);

}  // namespace chexnet_trt::passes
