#include "backends/cuda/on_device.hpp"
#include "backends/quantized_exactness.hpp"
#include "backends/quantized_networks.hpp"

namespace chexnet_trt::testing {
namespace {

class CudaQuantized : public OnDevice {
 protected:
  static void expect_exact(const Graph& network) {
    const auto backend = cuda::make_backend();
    const auto compile = [&](const Graph& graph, std::int64_t batch) {
      CompileOptions options;
      options.batch = batch;
      options.precision = Precision::kInt8;
      return backend->compile(graph, options);
    };
    testing::expect_exact(compile, network);
  }
};

TEST_F(CudaQuantized, Convolutions) {
  for (const bool has_relu : {false, true}) {
    expect_exact(quantized_convolution(1, {}, has_relu));
    expect_exact(quantized_convolution(3, {}, has_relu));
    expect_exact(quantized_convolution(3, strided_convolution(), has_relu));
    expect_exact(quantized_convolution(3, grouped_convolution(), has_relu));
  }
}

TEST_F(CudaQuantized, ConvolutionChain) { expect_exact(quantized_convolution_chain()); }

TEST_F(CudaQuantized, ResidualAdd) { expect_exact(quantized_residual_add()); }

TEST_F(CudaQuantized, Pooling) {
  for (const Op op : {Op::kMaxPool, Op::kAveragePool}) {
    for (const bool is_unsigned : {false, true}) expect_exact(quantized_pooling(op, is_unsigned));
  }
}

TEST_F(CudaQuantized, Concat) { expect_exact(quantized_concat()); }

TEST_F(CudaQuantized, ScaleShiftAndRelu) { expect_exact(quantized_scale_shift_and_relu()); }

TEST_F(CudaQuantized, FullyConnected) { expect_exact(quantized_fully_connected()); }

TEST_F(CudaQuantized, SmallResNet) { expect_exact(quantized_small_resnet()); }

TEST_F(CudaQuantized, SmallDenseNet) { expect_exact(quantized_small_densenet()); }

}  // namespace
}  // namespace chexnet_trt::testing
