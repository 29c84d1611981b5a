#include "passes/pipeline.hpp"

#include <array>
#include <string_view>

#include "common/error.hpp"
#include "passes/passes.hpp"

namespace chexnet_trt {
namespace {

struct NamedPass {
  std::string_view name;
  passes::Pass run;
};

/// The passes in order. A bias, relu or sum is not fused into its convolution here: which fusions
/// pay is the backend's knowledge, and OpenVINO and cuDNN both match the plain nodes.
constexpr std::array kPasses{
    NamedPass{"constant_folding", passes::constant_folding},
    NamedPass{"remove_identities", passes::remove_identities},
    NamedPass{"fold_pad", passes::fold_pad},
    NamedPass{"fold_batch_norm", passes::fold_batch_norm},
    NamedPass{"batch_norm_to_scale_shift", passes::batch_norm_to_scale_shift},
    NamedPass{"merge_scale_shift", passes::merge_scale_shift},
    NamedPass{"pool_before_conv", passes::pool_before_conv},
    NamedPass{"remove_dead_nodes", passes::remove_dead_nodes},
};

/// Every pass shrinks the graph or turns a node into a simpler one, so a fixed point comes soon;
/// the bound is for a pass that breaks this rule.
constexpr int kMaxRounds = 64;

}  // namespace

Graph optimize(const Graph& graph, std::vector<PassCount>* counts) {
  std::vector<PassCount> totals;
  totals.reserve(kPasses.size());
  for (const NamedPass& pass : kPasses) totals.push_back({std::string(pass.name), 0});
  Graph current = graph;
  current.verify();
  for (int round = 0;; ++round) {
    int round_rewrites = 0;
    for (std::size_t index = 0; index < kPasses.size(); ++index) {
      int rewrites = 0;
      Graph next = kPasses[index].run(current, rewrites);
      if (rewrites == 0) continue;
      next.verify();
      current = std::move(next);
      totals[index].rewrites += rewrites;
      round_rewrites += rewrites;
    }
    if (round_rewrites == 0) break;
    if (round == kMaxRounds) throw Error("the passes do not come to an end");
  }
  if (counts != nullptr) *counts = std::move(totals);
  return current;
}

}  // namespace chexnet_trt
