#include "backends/cuda/device_harness.hpp"
#include "backends/cuda/host_executable.hpp"
#include "backends/cuda/networks.hpp"
#include "backends/cuda/rare_networks.hpp"
#include "backends/quantized_exactness.hpp"
#include "backends/quantized_networks.hpp"

// The programs of the CUDA backend, run on the host, against the float64 interpreter.

namespace chexnet_trt::testing {
namespace {

void expect_program_matches(const Graph& graph, const std::string& what) {
  constexpr std::int64_t kBatchSize = 2;
  const Arrays inputs = reference::random_inputs(graph, kBatchSize, 7);
  const Arrays expected = reference::interpret(graph, kBatchSize, inputs);
  for (const Kind& kind : kFloatKinds) {
    const auto executable = make_host_executable(graph, options_for(kBatchSize, kind.precision));
    expect_close(run(*executable, graph, kBatchSize, inputs), expected, kind.tolerance,
                 what + " " + std::string(name_of(kind.precision)));
  }
}

void expect_program_exact(const Graph& network) {
  const auto compile = [](const Graph& graph, std::int64_t batch) {
    return make_host_executable(graph, options_for(batch, Precision::kInt8));
  };
  expect_exact(compile, network);
}

TEST(HostProgram, ComputesSmallNetworks) {
  expect_program_matches(residual_network(16), "residual");
  expect_program_matches(prologue_network(), "prologue");
  for (const std::int64_t growth : {16, 12}) {
    expect_program_matches(dense_network(growth, 16), "dense");
  }
}

TEST(HostProgram, ComputesRareOps) {
  for (const NamedGraph& each : rare_networks()) expect_program_matches(each.graph, each.name);
}

TEST(HostProgram, IsExactInEightBits) {
  for (const ConvAttributes& attributes :
       {ConvAttributes(), strided_convolution(), grouped_convolution()}) {
    expect_program_exact(quantized_convolution(3, attributes, true));
  }
  expect_program_exact(quantized_convolution_chain());
  expect_program_exact(quantized_residual_add());
  for (const Op op : {Op::kMaxPool, Op::kAveragePool}) {
    expect_program_exact(quantized_pooling(op, true));
  }
  expect_program_exact(quantized_concat());
  expect_program_exact(quantized_scale_shift_and_relu());
  expect_program_exact(quantized_fully_connected());
  expect_program_exact(quantized_small_resnet());
  expect_program_exact(quantized_small_densenet());
}

}  // namespace
}  // namespace chexnet_trt::testing
