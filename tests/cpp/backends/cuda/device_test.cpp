#include <gtest/gtest.h>

#include <thread>

#include "backends/cuda/compiled_program.hpp"
#include "backends/cuda/device_harness.hpp"
#include "backends/cuda/networks.hpp"
#include "common/error.hpp"
#include "engine/host_buffers.hpp"
#include "passes/quantize.hpp"

// What the GPU computes, against the float64 interpreter. Skipped where there is no GPU.

namespace chexnet_trt {
namespace {

using cuda::CompiledProgram;
using testing::add_activation;
using testing::add_bias;
using testing::add_conv;
using testing::add_image;
using testing::Arrays;
using testing::expect_close;
using testing::expect_matches;
using testing::expect_quantized_matches;
using testing::OnDevice;
using testing::options_for;
using testing::ranges_of;
using testing::run;

TEST_F(OnDevice, ConvolvesEveryShape) {
  struct Case {
    std::int64_t side, in;
    testing::ConvShape shape;
  };
  const Case cases[] = {
      {9, 16, {16}},
      {9, 20, {7}},
      {8, 64, {64, {1, 1}, {2, 2}}},
      {11, 3, {8, {7, 7}, {2, 2}, {3, 3}}},
      {11, 3, {8, {5, 4}, {2, 2}, {1, 2}}},
      {11, 3, {8, {3, 3}, {1, 1}, {1, 1}}},
      {10, 96, {130, {3, 3}, {1, 1}, {1, 1}}},
      {10, 33, {12, {3, 2}, {2, 1}, {0, 1}, {2, 1}}},
      {6, 256, {260, {3, 3}, {2, 2}, {1, 1}}},
  };
  for (const Case& each : cases) {
    Graph g;
    const NodeId x = add_image(g, each.side, each.in);
    NodeId y = add_conv(g, "conv", x, each.shape);
    y = add_activation(g, "act", add_bias(g, "bias", y, each.shape.out), ActivationKind::kElu);
    g.add_output("y", y);
    const std::string what = std::to_string(each.in) + " to " + std::to_string(each.shape.out);
    expect_matches(g, what);
    expect_quantized_matches(g, what);
    if (HasFatalFailure()) return;
  }
}

/// Takes convolutions alone, whatever their window.
bool is_general(const cuda::ConvTile& tile, Precision precision) {
  return tile.kernel == cuda::ConvKernel::kWarp ||
         (tile.kernel == cuda::ConvKernel::kWarpgroup && precision != Precision::kFloat32);
}

TEST_F(OnDevice, RunsEveryTile) {
  Graph g;
  NodeId x = add_conv(g, "first", add_image(g, 12, 40), {72, {3, 3}, {1, 1}, {1, 1}});
  x = add_activation(g, "relu", add_bias(g, "bias", x, 72));
  g.add_output("y", add_conv(g, "second", x, {100}));
  const Graph quantized = quantize(g, ranges_of(g));
  const Arrays inputs = reference::random_inputs(g, 3, 7);
  const auto try_tiles = [&](const Graph& graph, Precision precision, double tolerance) {
    const Arrays expected = reference::interpret(graph, 3, inputs);
    for (std::size_t tile = 0; tile < cuda::conv_tiles().size(); ++tile) {
      const cuda::ConvTile& shape = cuda::conv_tiles()[tile];
      if (!is_general(shape, precision) || shape.maps_first) continue;
      auto compiled = std::make_shared<CompiledProgram>(graph, options_for(3, precision), 0);
      compiled->tactics.assign(compiled->program.steps.size(), tile);
      const std::string what =
          name_of(cuda::conv_tiles()[tile]) + " " + std::string(name_of(precision));
      const auto execution = cuda::make_execution(compiled);
      const Arrays once = run(*execution, graph, 3, inputs);
      expect_close(once, expected, tolerance, what);
      // What build --deterministic promises.
      for (int again = 0; again < 20; ++again) {
        EXPECT_EQ(run(*execution, graph, 3, inputs), once) << what;
      }
    }
  };
  for (const testing::Kind& kind : testing::kFloatKinds)
    try_tiles(g, kind.precision, kind.tolerance);
  try_tiles(quantized, Precision::kInt8, 6e-3);
}

/// A map taken into the convolution behind it, by every tile, and before it.
TEST_F(OnDevice, ReadsThroughPrologues) {
  const Graph g = testing::prologue_network();
  const Graph quantized = quantize(g, ranges_of(g));
  const Arrays inputs = reference::random_inputs(g, 3, 7);
  const auto try_tiles = [&](const Graph& graph, Precision precision, double tolerance) {
    const Arrays expected = reference::interpret(graph, 3, inputs);
    for (std::size_t tile = 0; tile < cuda::conv_tiles().size(); ++tile) {
      if (!is_general(cuda::conv_tiles()[tile], precision)) continue;
      auto compiled = std::make_shared<CompiledProgram>(graph, options_for(3, precision), 0);
      for (const cuda::Step& step : compiled->program.steps) {
        compiled->tactics.push_back(step.name == "pointwise" ? tile : cuda::plain_conv_tile());
      }
      const std::string what =
          name_of(cuda::conv_tiles()[tile]) + " " + std::string(name_of(precision));
      expect_close(run(*cuda::make_execution(compiled), graph, 3, inputs), expected, tolerance,
                   what);
    }
  };
  for (const testing::Kind& kind : testing::kFloatKinds) {
    try_tiles(g, kind.precision, kind.tolerance);
  }
  try_tiles(quantized, Precision::kInt8, 6e-3);
}

/// The tiles that only such convolutions can take.
TEST_F(OnDevice, SlidesWindows) {
  struct Case {
    std::int64_t channels_in, channels_out;
    Spatial kernel, pads;
    std::vector<Precision> precisions;
    int columns;  ///< of the widest tile whose weights fit into shared memory
  };
  const std::vector<Precision> all{Precision::kFloat16, Precision::kBFloat16, Precision::kInt8};
  for (const Case& own :
       {Case{64, 64, {3, 3}, {1, 1}, all, 64}, Case{128, 32, {3, 3}, {1, 1}, all, 32},
        Case{32, 96, {2, 5}, {0, 2}, all, 64}, Case{16, 32, {4, 4}, {2, 1}, all, 64},
        Case{12, 64, {4, 4}, {2, 2}, all, 64},
        Case{8, 32, {3, 2}, {1, 0}, {Precision::kFloat16}, 64}}) {
    Graph g;
    NodeId x = add_conv(g, "conv", add_image(g, 21, own.channels_in),
                        {own.channels_out, own.kernel, {1, 1}, own.pads});
    x = add_activation(g, "relu", add_bias(g, "bias", x, own.channels_out));
    g.add_output("y", add_conv(g, "next", x, {16}));
    const Graph quantized = quantize(g, ranges_of(g));
    const Arrays inputs = reference::random_inputs(g, 3, 7);
    for (const Precision precision : own.precisions) {
      const Graph& graph = precision == Precision::kInt8 ? quantized : g;
      const Arrays expected = reference::interpret(graph, 3, inputs);
      for (std::size_t tile = 0; tile < cuda::conv_tiles().size(); ++tile) {
        const cuda::ConvTile& shape = cuda::conv_tiles()[tile];
        if (shape.kernel != cuda::ConvKernel::kWindow || shape.columns > own.columns) continue;
        auto compiled = std::make_shared<CompiledProgram>(graph, options_for(3, precision), 0);
        for (const cuda::Step& step : compiled->program.steps) {
          compiled->tactics.push_back(step.name == "conv" ? tile : cuda::plain_conv_tile());
        }
        const std::string what = std::to_string(own.channels_in) + " to " +
                                 std::to_string(own.channels_out) + " " +
                                 std::string(name_of(precision));
        const auto execution = cuda::make_execution(compiled);
        expect_close(run(*execution, graph, 3, inputs), expected, 2e-2, what);
      }
    }
  }
}

TEST_F(OnDevice, RunsPreactivationBlocks) {
  expect_matches(testing::residual_network(), "residual");
  expect_quantized_matches(testing::residual_network(), "residual");
}

TEST_F(OnDevice, RunsDenseBlocks) {
  for (const std::int64_t growth : {16, 12}) {
    expect_matches(testing::dense_network(growth), "dense");
    expect_quantized_matches(testing::dense_network(growth), "dense");
  }
}

TEST_F(OnDevice, TakesChannelsFirstAndReturnsThem) {
  Graph g;
  const NodeId x =
      g.add_input("x", {ElementType::kFloat32, {kBatch, 5, 9, 7}}, TensorLayout::kNchw);
  const NodeId y = add_conv(g, "conv", x, {11, {3, 3}, {1, 1}, {1, 1}}, TensorLayout::kNchw);
  const NodeId bias = testing::random_constant(g, "bias", {11, 1, 1}, 0.5);
  const NodeId sum = testing::add_binary(g, "sum", BinaryKind::kSub, bias, y);
  g.add_output("y", sum);
  g.add_output("z", g.add(Op::kAveragePool, "pool", {sum},
                          PoolAttributes{TensorLayout::kNchw, {3, 2}, {2, 1}, {1, 0}, {1, 1}}));
  expect_matches(g, "nchw");
}

TEST_F(OnDevice, TakesPixelsAndNamesTheLargestScore) {
  Graph g;
  const NodeId x = g.add_input("x", {ElementType::kUInt8, {kBatch, 8, 8, 3}}, TensorLayout::kNhwc);
  const NodeId real = g.add(Op::kCast, "cast", {x}, CastAttributes{ElementType::kFloat32});
  const NodeId centred =
      testing::add_binary(g, "centred", BinaryKind::kSub, real,
                          g.add_constant("centre", Tensor::from_floats({3}, {100, 120, 90})));
  const NodeId scaled =
      testing::add_binary(g, "scaled", BinaryKind::kDiv, centred,
                          g.add_constant("std", Tensor::from_floats({3}, {50, 60, 70})));
  const NodeId y = add_conv(g, "conv", scaled, {16, {3, 3}, {2, 2}, {1, 1}});
  testing::add_head(g, y, 16);
  g.add_output("best", g.add(Op::kArgMax, "arg", {g.outputs()[0].value}, AxisAttributes{1}));
  const std::int64_t batch = 3;
  Arrays inputs = reference::random_inputs(g, batch, 7);
  for (double& value : inputs[0]) value = std::floor(std::abs(value) * 255);
  const auto executable = cuda::make_backend()->compile(g, options_for(batch, Precision::kFloat32));
  expect_close(run(*executable->create_execution(), g, batch, inputs),
               reference::interpret(g, batch, inputs), 1e-5, "pixels");
}

TEST_F(OnDevice, ReturnsTheSameFromItsBlob) {
  const Graph g = testing::residual_network();
  const auto backend = cuda::make_backend();
  const CompileOptions options = options_for(2, Precision::kFloat16);
  const Arrays inputs = reference::random_inputs(g, 2, 7);
  const auto executable = backend->compile(g, options);
  const std::vector<std::byte> blob = executable->serialize();
  const auto again = backend->deserialize({blob.data(), blob.size()}, g, options);
  EXPECT_EQ(run(*executable->create_execution(), g, 2, inputs),
            run(*again->create_execution(), g, 2, inputs));
  EXPECT_EQ(again->serialize(), blob);
}

TEST_F(OnDevice, RunsSeveralExecutionsAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kRuns = 50;
  const Graph g = testing::residual_network();
  const auto executable = cuda::make_backend()->compile(g, options_for(2, Precision::kFloat16));
  std::vector<int> wrong(kThreads, 0);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      const Arrays inputs = reference::random_inputs(g, 2, static_cast<unsigned>(thread));
      const auto execution = executable->create_execution();
      const Arrays first = run(*execution, g, 2, inputs);
      for (int count = 0; count < kRuns; ++count) {
        if (run(*execution, g, 2, inputs) != first) ++wrong[static_cast<std::size_t>(thread)];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(kThreads, 0));
}

TEST_F(OnDevice, KeepsNoMemoryOfManyInferencesByManyThreads) {
  constexpr int kThreads = 8;
  constexpr int kRuns = 10000 / kThreads;
  const Graph g = testing::residual_network();
  const auto executable = cuda::make_backend()->compile(g, options_for(2, Precision::kFloat16));
  const auto run_all = [&] {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        testing::Buffers buffers(g, 2);
        const auto execution = executable->create_execution();
        for (int count = 0; count < kRuns; ++count) {
          execution->enqueue(buffers.bindings(), nullptr);
          execution->wait();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  };
  run_all();  // CUDA keeps some memory from its first use on
  const std::size_t before = cuda::memory_size().free;
  run_all();
  EXPECT_EQ(cuda::memory_size().free, before);
}

TEST_F(OnDevice, TimesItsSteps) {
  const Graph g = testing::residual_network();
  CompileOptions options = options_for(1, Precision::kFloat16);
  options.profiling = true;
  const auto executable = cuda::make_backend()->compile(g, options);
  const auto execution = executable->create_execution();
  EXPECT_TRUE(execution->layer_times().empty());
  run(*execution, g, 1, reference::random_inputs(g, 1, 7));
  EXPECT_EQ(execution->layer_times().size(), executable->layers().size());
}

TEST_F(OnDevice, TimesItsCopiesAndItsKernels) {
  const Graph g = testing::residual_network();
  const auto executable = cuda::make_backend()->compile(g, options_for(4, Precision::kFloat16));
  const auto execution = executable->create_execution();
  EXPECT_FALSE(execution->device_times().has_value());
  run(*execution, g, 4, reference::random_inputs(g, 4, 7));
  const std::optional<DeviceTimes> times = execution->device_times();
  ASSERT_TRUE(times.has_value());
  EXPECT_GT(times->h2d, 0);
  EXPECT_GT(times->compute, 0);
  EXPECT_GT(times->d2h, 0);
}

TEST_F(OnDevice, ReadsAndWritesPageLockedMemoryInPlace) {
  const Graph g = testing::residual_network();
  const auto backend = cuda::make_backend();
  const auto executable = backend->compile(g, options_for(2, Precision::kFloat32));
  const auto execution = executable->create_execution();
  const Arrays inputs = reference::random_inputs(g, 2, 7);
  const Arrays expected = run(*execution, g, 2, inputs);
  HostBuffers buffers(input_infos(g), output_infos(g), 2, *backend);
  for (const Binding& binding : buffers.bindings()) {
    EXPECT_TRUE(cuda::is_page_locked(binding.data));
  }
  const std::vector<float> image(inputs[0].begin(), inputs[0].end());
  buffers.set_input(0, {image.data(), image.size() * sizeof(float)});
  execution->enqueue(buffers.bindings(), nullptr);
  execution->wait();
  const auto* scores = reinterpret_cast<const float*>(buffers.output(0).data);
  EXPECT_EQ(std::vector<double>(scores, scores + expected[0].size()), expected[0]);
}

TEST_F(OnDevice, SaysThatMemoryIsShortAndGoesOn) {
  // Below what the kernels count, and more together than a GPU has.
  Graph g;
  NodeId x = add_image(g, 64, 16);
  std::vector<NodeId> sums;
  for (int count = 0; count < 64; ++count) {
    sums.push_back(add_conv(g, "conv" + std::to_string(count), x, {16}));
    g.add_output("y" + std::to_string(count), sums.back());
  }
  const auto backend = cuda::make_backend();
  constexpr std::int64_t kFarTooMany = 32000;
  try {
    backend->compile(g, options_for(kFarTooMany, Precision::kFloat32));
    FAIL() << "should not fit";
  } catch (const BackendError& error) {
    EXPECT_NE(std::string(error.what()).find("needs about"), std::string::npos) << error.what();
  }
  const Graph small = testing::residual_network();
  EXPECT_NO_THROW(backend->compile(small, options_for(1, Precision::kFloat16)));
}

/// Takes the GPU's memory but for some MiB.
std::vector<cuda::DeviceBuffer> take_memory() {
  std::vector<cuda::DeviceBuffer> taken;
  for (std::size_t size = std::size_t{16} << 30; size >= std::size_t{4} << 20;) {
    if (cuda::memory_size().free <= size) {
      size /= 2;
      continue;
    }
    try {
      taken.emplace_back(size, "nothing");
    } catch (const BackendError&) {
      size /= 2;
    }
  }
  return taken;
}

TEST_F(OnDevice, SaysThatMemoryIsShortAtRunAndGoesOn) {
  const Graph g = testing::residual_network();
  const auto executable = cuda::make_backend()->compile(g, options_for(512, Precision::kFloat32));
  {
    const std::vector<cuda::DeviceBuffer> taken = take_memory();
    try {
      executable->create_execution();
      FAIL() << "should not fit";
    } catch (const BackendError& error) {
      EXPECT_NE(std::string(error.what()).find("needs about"), std::string::npos) << error.what();
    }
  }
  EXPECT_NO_THROW(executable->create_execution());
}

}  // namespace
}  // namespace chexnet_trt
