#include <gtest/gtest.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <thread>

#include "common/error.hpp"
#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;

/// A convolution, a bias, a relu and a classifier.
Graph small_network() {
  Graph graph;
  const NodeId x = graph.add_input("x", {kFloat, {kBatch, 16, 16, 3}}, TensorLayout::kNhwc);
  const NodeId w = random_constant(graph, "w", {3, 3, 3, 32});
  const NodeId conv = graph.add(Op::kConv2D, "conv", {x, w}, ConvAttributes{});
  const NodeId bias = random_constant(graph, "bias", {32}, 2);
  const NodeId sum = graph.add(Op::kBinary, "sum", {conv, bias}, BinaryAttributes{});
  const NodeId relu = graph.add(Op::kActivation, "relu", {sum}, ActivationAttributes{});
  ReduceAttributes mean{ReduceKind::kMean, {1, 2}, false};
  const NodeId features = graph.add(Op::kReduce, "mean", {relu}, mean);
  const NodeId dense = random_constant(graph, "dense", {32, 14}, 3);
  const NodeId logits = graph.add(Op::kMatMul, "logits", {features, dense}, MatMulAttributes{});
  ActivationAttributes sigmoid{ActivationKind::kSigmoid, 0};
  graph.add_output("scores", graph.add(Op::kActivation, "scores", {logits}, sigmoid));
  return graph;
}

ByteView view(const std::vector<std::byte>& bytes) { return {bytes.data(), bytes.size()}; }

TEST(OpenVinoBackend, DescribesItself) {
  Backend& cpu = backend("openvino");
  EXPECT_NE(cpu.fingerprint().find("openvino 2026"), std::string::npos);
  EXPECT_FALSE(cpu.device_name().empty());
  const std::vector<Precision> native = cpu.precisions();
  EXPECT_NE(std::find(native.begin(), native.end(), Precision::kFloat32), native.end());
  for (const Precision emulated : cpu.emulated_precisions()) {
    EXPECT_EQ(std::find(native.begin(), native.end(), emulated), native.end());
  }
}

TEST(OpenVinoBackend, RunsEveryPrecisionItListsAndRefusesTheOthers) {
  const Graph graph = small_network();
  Backend& cpu = backend("openvino");
  std::vector<Precision> runs = cpu.precisions();
  for (const Precision precision : cpu.emulated_precisions()) runs.push_back(precision);
  const Arrays inputs = reference::random_inputs(graph, 2, 5);
  const Arrays expected = reference::interpret(graph, 2, inputs);
  for (const Precision precision :
       {Precision::kFloat32, Precision::kFloat16, Precision::kBFloat16, Precision::kInt8}) {
    CompileOptions options = options_for(2);
    options.precision = precision;
    if (std::find(runs.begin(), runs.end(), precision) == runs.end()) {
      EXPECT_THROW(cpu.compile(graph, options), BackendError) << name_of(precision);
      continue;
    }
    const auto executable = cpu.compile(graph, options);
    const Arrays actual = run(*executable, graph, 2, inputs);
    expect_close(actual, expected, 2e-2, std::string(name_of(precision)));
    // The blob does not carry the precision: importing must bring it back.
    const auto blob = executable->serialize();
    expect_close(run(*cpu.deserialize(view(blob), graph, options), graph, 2, inputs), actual, 0,
                 "imported " + std::string(name_of(precision)));
  }
}

TEST(OpenVinoBackend, LayersAreThoseThatRunAndTheSameInEveryCompilation) {
  const Graph graph = small_network();
  const auto described = [&] {
    std::vector<std::string> lines;
    for (const LayerInfo& layer : backend("openvino").compile(graph, options_for(1))->layers()) {
      EXPECT_NE(layer.type, "Const") << layer.name;
      lines.push_back(layer.name + " " + layer.type + " " + layer.precision + " " + layer.kernel);
    }
    return lines;
  };
  EXPECT_EQ(described(), described());
}

TEST(OpenVinoBackend, RefusesBadOptions) {
  const Graph graph = small_network();
  for (const auto& spoil : std::vector<std::function<void(CompileOptions&)>>{
           [](CompileOptions& o) { o.batch = 0; }, [](CompileOptions& o) { o.threads = -1; },
           [](CompileOptions& o) { o.streams = 0; }}) {
    CompileOptions options;
    spoil(options);
    EXPECT_THROW(backend("openvino").compile(graph, options), InputError);
  }
}

TEST(OpenVinoBackend, NamesTheNodeThatCannotBeCompiled) {
  Graph graph;
  const NodeId x = graph.add_input("x", {ElementType::kFloat32, {kBatch, 4, 4, 3}});
  const LrnAttributes no_bias{TensorLayout::kNhwc, 1, 1.0, 0.5, 0.0};
  graph.add_output("y", graph.add(Op::kLrn, "the_culprit", {x}, no_bias));
  try {
    backend("openvino").compile(graph, options_for(1));
    FAIL() << "a normalisation by zero compiled";
  } catch (const BackendError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("the_culprit"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST(Blob, RoundTripOutlivesItsBytesAndItsBackendObjects) {
  const Graph graph = small_network();
  const Arrays inputs = reference::random_inputs(graph, 3, 5);
  const auto original = backend("openvino").compile(graph, options_for(3));
  auto blob = original->serialize();
  auto imported = backend("openvino").deserialize(view(blob), graph, options_for(3));
  std::fill(blob.begin(), blob.end(), std::byte{0xFF});
  blob = {};
  expect_close(run(*imported, graph, 3, inputs), run(*original, graph, 3, inputs), 0, "round trip");
  const auto again = imported->serialize();
  const auto twice = backend("openvino").deserialize(view(again), graph, options_for(3));
  expect_close(run(*twice, graph, 3, inputs), run(*original, graph, 3, inputs), 0, "twice");
}

TEST(Blob, InPlaceKeepsItsOwner) {
  const Graph graph = small_network();
  const Arrays inputs = reference::random_inputs(graph, 1, 5);
  const auto original = backend("openvino").compile(graph, options_for(1));
  auto bytes = std::make_shared<std::vector<std::byte>>(original->serialize());
  const std::weak_ptr<std::vector<std::byte>> watched = bytes;
  auto imported =
      backend("openvino").deserialize_in_place(view(*bytes), bytes, graph, options_for(1));
  bytes.reset();
  auto execution = imported->create_execution();
  imported.reset();
  EXPECT_FALSE(watched.expired());
  Buffers buffers(graph, 1);
  buffers.fill(inputs);
  execution->enqueue(buffers.bindings(), nullptr);
  execution->wait();
  expect_close(buffers.outputs(), run(*original, graph, 1, inputs), 0, "in place");
  execution.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(Blob, OfAnotherNetworkOrGarbageIsRefused) {
  const auto blob = backend("openvino").compile(small_network(), options_for(1))->serialize();
  Graph other;
  const NodeId x = other.add_input("x", {kFloat, {kBatch, 4}});
  other.add_output("scores", other.add(Op::kActivation, "r", {x}, ActivationAttributes{}));
  Backend& cpu = backend("openvino");
  EXPECT_THROW(cpu.deserialize(view(blob), other, options_for(1)), BackendError);
  Graph same_interface;
  const NodeId y =
      same_interface.add_input("x", {kFloat, {kBatch, 16, 16, 3}}, TensorLayout::kNhwc);
  ReduceAttributes mean{ReduceKind::kMean, {1, 2}, false};
  const NodeId m = same_interface.add(Op::kReduce, "mean", {y}, mean);
  const NodeId w = random_constant(same_interface, "w", {3, 14});
  same_interface.add_output("scores",
                            same_interface.add(Op::kMatMul, "scores", {m, w}, MatMulAttributes{}));
  EXPECT_THROW(cpu.deserialize(view(blob), same_interface, options_for(1)), BackendError);
  EXPECT_THROW(cpu.deserialize(view(blob), small_network(), options_for(2)), BackendError);
  EXPECT_THROW(cpu.deserialize({}, small_network(), options_for(1)), BackendError);
  std::vector<std::byte> damaged = blob;
  damaged[damaged.size() / 2] ^= std::byte{1};
  EXPECT_THROW(cpu.deserialize(view(damaged), small_network(), options_for(1)), BackendError);
  EXPECT_THROW(cpu.deserialize({blob.data(), blob.size() - 1}, small_network(), options_for(1)),
               BackendError);
}

TEST(Execution, ChecksItsBindings) {
  const Graph graph = small_network();
  const auto execution = backend("openvino").compile(graph, options_for(1))->create_execution();
  Buffers buffers(graph, 1);
  std::vector<Binding> bindings = buffers.bindings();
  EXPECT_THROW(execution->enqueue({bindings[0]}, nullptr), InputError);
  bindings[1].memory = MemoryKind::kDevice;
  EXPECT_THROW(execution->enqueue(bindings, nullptr), InputError);
  bindings = buffers.bindings();
  bindings[0].data = nullptr;
  EXPECT_THROW(execution->enqueue(bindings, nullptr), InputError);
  int stream = 0;
  EXPECT_THROW(execution->enqueue(buffers.bindings(), &stream), InputError);
  EXPECT_TRUE(execution->ready());
  execution->wait();
}

TEST(Execution, WaitsAndIsReusedWithOtherBuffers) {
  const Graph graph = small_network();
  const auto execution = backend("openvino").compile(graph, options_for(2))->create_execution();
  for (unsigned seed = 1; seed <= 4; ++seed) {
    Buffers buffers(graph, 2);
    const Arrays inputs = reference::random_inputs(graph, 2, seed);
    buffers.fill(inputs);
    execution->enqueue(buffers.bindings(), nullptr);
    EXPECT_THROW(execution->enqueue(buffers.bindings(), nullptr), InputError);
    execution->wait();
    execution->wait();
    EXPECT_TRUE(execution->ready());
    expect_close(buffers.outputs(), reference::interpret(graph, 2, inputs), 2e-5, "reuse");
  }
}

TEST(Execution, ExecutesInOneCall) {
  const Graph graph = small_network();
  const auto execution = backend("openvino").compile(graph, options_for(2))->create_execution();
  for (unsigned seed = 1; seed <= 3; ++seed) {
    Buffers buffers(graph, 2);
    const Arrays inputs = reference::random_inputs(graph, 2, seed);
    buffers.fill(inputs);
    execution->execute(buffers.bindings());
    EXPECT_TRUE(execution->ready());
    expect_close(buffers.outputs(), reference::interpret(graph, 2, inputs), 2e-5, "execute");
    EXPECT_THROW(execution->execute({buffers.bindings()[0]}), InputError);
    execution->enqueue(buffers.bindings(), nullptr);
    EXPECT_THROW(execution->execute(buffers.bindings()), InputError);
    execution->wait();
  }
}

TEST(Execution, ThreadsThatExecuteAtOnceAgree) {
  const Graph graph = small_network();
  const auto executable = backend("openvino").compile(graph, options_for(2));
  const Arrays inputs = reference::random_inputs(graph, 2, 3);
  const Arrays expected = reference::interpret(graph, 2, inputs);
  std::vector<int> wrong(8, 0);
  std::vector<std::thread> threads;
  for (int& own : wrong) {
    threads.emplace_back([&] {
      const auto execution = executable->create_execution();
      for (int round = 0; round < 20; ++round) {
        Buffers buffers(graph, 2);
        buffers.fill(inputs);
        execution->execute(buffers.bindings());
        const Arrays actual = buffers.outputs();
        for (std::size_t i = 0; i < expected[0].size(); ++i) {
          if (std::abs(expected[0][i] - actual[0][i]) > 2e-5) ++own;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(8, 0));
}

TEST(Execution, DestructionWaits) {
  const Graph graph = small_network();
  const auto executable = backend("openvino").compile(graph, options_for(64));
  const Arrays inputs = reference::random_inputs(graph, 64, 1);
  Buffers buffers(graph, 64);
  buffers.fill(inputs);
  {
    const auto execution = executable->create_execution();
    execution->enqueue(buffers.bindings(), nullptr);
  }
  expect_close(buffers.outputs(), run(*executable, graph, 64, inputs), 0, "after destruction");
}

TEST(Execution, ThreadsWithAnExecutionEachAgree) {
  const Graph graph = small_network();
  for (const int streams : {1, 2}) {
    CompileOptions options = options_for(2);
    options.streams = streams;
    const auto executable = backend("openvino").compile(graph, options);
    std::vector<int> wrong(8, 0);
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < wrong.size(); ++thread) {
      threads.emplace_back([&, thread] {
        const Arrays inputs = reference::random_inputs(graph, 2, thread);
        const Arrays first = run(*executable, graph, 2, inputs);
        for (int round = 0; round < 20; ++round) {
          if (run(*executable, graph, 2, inputs) != first) ++wrong[thread];
        }
        const Arrays expected = reference::interpret(graph, 2, inputs);
        for (std::size_t i = 0; i < expected[0].size(); ++i) {
          if (std::abs(expected[0][i] - first[0][i]) > 2e-5) ++wrong[thread];
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, std::vector<int>(8, 0)) << streams << " streams";
  }
}

TEST(Execution, ProfilesOnlyWhenAsked) {
  const Graph graph = small_network();
  for (const bool profiling : {false, true}) {
    CompileOptions options = options_for(1);
    options.profiling = profiling;
    const auto executable = backend("openvino").compile(graph, options);
    const auto execution = executable->create_execution();
    EXPECT_TRUE(execution->layer_times().empty());
    Buffers buffers(graph, 1);
    execution->enqueue(buffers.bindings(), nullptr);
    execution->wait();
    const std::vector<LayerTime> times = execution->layer_times();
    EXPECT_EQ(times.empty(), !profiling);
    const auto named = [](const auto& list, const std::string& name) {
      return std::any_of(list.begin(), list.end(),
                         [&](const auto& item) { return item.name == name; });
    };
    EXPECT_EQ(named(times, "conv"), profiling);
    const std::vector<LayerInfo> layers = executable->layers();
    ASSERT_TRUE(named(layers, "conv"));
    const auto conv = std::find_if(layers.begin(), layers.end(),
                                   [](const LayerInfo& layer) { return layer.name == "conv"; });
    EXPECT_EQ(conv->type, "Convolution");
    EXPECT_FALSE(conv->kernel.empty());
    EXPECT_EQ(conv->precision, "f32");
  }
}

#if defined(__linux__)
TEST(Execution, LeavesTheCallersAffinityAlone) {
  cpu_set_t before;
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const Graph graph = small_network();
  const auto executable = backend("openvino").compile(graph, options_for(1));
  run(*executable, graph, 1, reference::random_inputs(graph, 1, 1));
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}
#endif

}  // namespace
}  // namespace chexnet_trt::testing
