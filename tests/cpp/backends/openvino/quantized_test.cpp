#include <gtest/gtest.h>

#include <algorithm>

#include "backends/quantized_exactness.hpp"
#include "backends/quantized_networks.hpp"
#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

class Quantized : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto precisions = backend("openvino").precisions();
    if (std::find(precisions.begin(), precisions.end(), Precision::kInt8) == precisions.end()) {
      GTEST_SKIP() << "this CPU has neither VNNI nor AMX: sums of int8 products saturate";
    }
  }

  static void expect_exact(const Graph& network) {
    const auto compile = [](const Graph& graph, std::int64_t batch) {
      return backend("openvino").compile(graph, options_for(batch));
    };
    testing::expect_exact(compile, network);
  }
};

TEST_F(Quantized, Convolutions) {
  for (const bool has_relu : {false, true}) {
    expect_exact(quantized_convolution(1, {}, has_relu));
    expect_exact(quantized_convolution(3, {}, has_relu));
    expect_exact(quantized_convolution(3, strided_convolution(), has_relu));
    expect_exact(quantized_convolution(3, grouped_convolution(), has_relu));
  }
}

TEST_F(Quantized, ConvolutionChain) { expect_exact(quantized_convolution_chain()); }

TEST_F(Quantized, ResidualAdd) { expect_exact(quantized_residual_add()); }

TEST_F(Quantized, Pooling) {
  for (const Op op : {Op::kMaxPool, Op::kAveragePool}) {
    for (const bool is_unsigned : {false, true}) expect_exact(quantized_pooling(op, is_unsigned));
  }
}

TEST_F(Quantized, Concat) { expect_exact(quantized_concat()); }

TEST_F(Quantized, ScaleShiftAndRelu) { expect_exact(quantized_scale_shift_and_relu()); }

TEST_F(Quantized, FullyConnected) { expect_exact(quantized_fully_connected()); }

TEST_F(Quantized, SmallResNet) { expect_exact(quantized_small_resnet()); }

TEST_F(Quantized, SmallDenseNet) { expect_exact(quantized_small_densenet()); }

}  // namespace
}  // namespace chexnet_trt::testing
