// Stands in for the pass pipeline in branches that lack it.
#include "passes/pipeline.hpp"

namespace chexnet_trt {

Graph optimize(const Graph& graph, std::vector<PassCount>* counts) {
  if (counts != nullptr) counts->push_back({"nothing", 0});
  return graph;
}

}  // namespace chexnet_trt
