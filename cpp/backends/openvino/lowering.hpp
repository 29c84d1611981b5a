#pragma once

#include <cstdint>
#include <memory>
#include <openvino/core/model.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "backends/openvino/stored_image.hpp"
#include "backends/openvino/value.hpp"
#include "graph/graph.hpp"

namespace chexnet_trt::openvino {

/// With what a quantised sum is computed into its convolution (fused_sum.cpp).
enum class SumFusion {
  kFine,   ///< exact however OpenVINO runs it
  kCoarse  ///< faster, and exact only where `is_fused` holds
};

/// Names of the nodes that one kernel is to compute: `marker` is the FakeQuantize that asks for it.
struct FusedSum {
  std::string marker;
  std::string sum;
  std::string quantize;
};

struct LoweringOptions {
  SumFusion fusion = SumFusion::kFine;
  /// Whether LevelConvolution takes what it can.
  bool level_convolutions = false;
  /// Receives the sums that `fusion` concerns.
  std::vector<FusedSum>* fused_sums = nullptr;
};

/// What a lowering sees beside the values it reads.
struct LoweringContext {
  const Graph& graph;
  std::int64_t batch;
  /// Of each value: the nodes that read it, once for every operand; -1 for an output.
  const std::vector<std::vector<NodeId>>& readers;
  /// Of the nodes lowered so far, by NodeId.
  const std::vector<Value>& values;
  ov::ParameterVector& parameters;
  StoredImages& stored_images;
  const LoweringOptions& options;
};

using Lower = Value (*)(const LoweringContext& context, const Node& node,
                        const std::vector<Value>& inputs);

/// One row an op: how it becomes OpenVINO nodes, or why it cannot.
struct LoweringRow {
  Op op;
  Lower lower;  ///< nullptr exactly when `reason` is not empty
  std::string_view reason;
};

const std::vector<LoweringRow>& lowering_table();

/// The model of `graph` at one batch size. Parameters and results are dense in the order of the
/// graph's inputs and outputs; constants lie where the graph has them. Raises BackendError naming
/// the node that OpenVINO refuses.
std::shared_ptr<ov::Model> lower(const Graph& graph, std::int64_t batch,
                                 const LoweringOptions& options = {});

}  // namespace chexnet_trt::openvino
