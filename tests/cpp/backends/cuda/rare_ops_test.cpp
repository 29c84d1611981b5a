#include <set>

#include "backends/cuda/device_harness.hpp"
#include "backends/cuda/fusion.hpp"
#include "backends/cuda/rare_networks.hpp"
#include "graph/op_table.hpp"

namespace chexnet_trt::testing {
namespace {

TEST(RareOps, AreLowered) {
  std::set<std::string> types;
  for (const NamedGraph& each : rare_networks()) {
    const cuda::Program program = cuda::fuse(each.graph, 2, Precision::kFloat16);
    for (const cuda::Step& step : program.steps) types.emplace(type_of(step));
  }
  EXPECT_EQ(types,
            (std::set<std::string>{"input", "conv", "mean", "dense", "map", "output", "argmax",
                                   "flatten", "softmax", "grouped_conv", "transposed_conv", "unary",
                                   "binary", "window", "lrn", "reduce"}));
}

TEST(RareOps, KeepEightBitsInAGroupedConvolution) {
  const Graph g = grouped_network(12, 3, {1, 1});
  DynamicRanges ranges;
  for (const QuantizationPoint& point : quantization_points(g)) {
    ranges[g.node(point.value).name] = 4;
  }
  const cuda::Program program = cuda::fuse(quantize(g, ranges), 1, Precision::kInt8);
  for (const cuda::Step& step : program.steps) {
    const auto* grouped = std::get_if<cuda::GroupedConvStep>(&step.kind);
    if (grouped == nullptr) continue;
    EXPECT_EQ(grouped->weights.type(), ElementType::kInt8);
    EXPECT_EQ(step.epilogue.affine.mul.size(), 24U);
    return;
  }
  FAIL() << "no grouped convolution";
}

TEST_F(OnDevice, ComputesRareOps) {
  for (const NamedGraph& each : rare_networks()) {
    expect_matches(each.graph, each.name);
    if (HasFatalFailure()) return;
  }
}

TEST_F(OnDevice, ComputesRareOpsInEightBits) {
  expect_quantized_matches(grouped_network(12, 3, {1, 1}), "grouped");
  expect_quantized_matches(grouped_network(10, 10, {2, 2}), "depthwise");
  expect_quantized_matches(flattened_network(TensorLayout::kNhwc), "flatten");
}

}  // namespace
}  // namespace chexnet_trt::testing
