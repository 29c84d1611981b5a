#include "engine/builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "engine/context_helpers.hpp"
#include "engine/conv_graph.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

using testing::HasSubstr;

TEST(Builder, BuildsFp32WithoutTiming) {
  FakeBackend backend;
  const BuildResult result = build(tiny_graph(), BuildOptions{}, backend);
  ASSERT_EQ(result.report.candidates.size(), 1U);
  EXPECT_TRUE(result.report.candidates[0].chosen);
  EXPECT_FALSE(result.report.candidates[0].median_ms);
  EXPECT_FALSE(result.report.passes.empty());
  EXPECT_EQ(backend.behaviour.compiled, 1);
  EXPECT_EQ(result.engine->precision(), Precision::kFloat32);
}

TEST(Builder, TakesTheFastestPermittedPrecision) {
  FakeBackend backend;
  backend.behaviour.precisions = {Precision::kFloat32, Precision::kBFloat16};
  backend.behaviour.run_ms = [](Precision precision) {
    return precision == Precision::kFloat32 ? 10.0 : 1.0;
  };
  BuildOptions options;
  options.precisions = {Precision::kFloat16, Precision::kBFloat16, Precision::kInt8};
  options.timing_budget_ms = 0;
  const BuildResult result = build(tiny_graph(), options, backend);
  EXPECT_EQ(result.engine->precision(), Precision::kBFloat16);
  const auto& candidates = result.report.candidates;
  ASSERT_EQ(candidates.size(), 4U);
  EXPECT_THAT(candidates[0].reason, HasSubstr("slower"));
  EXPECT_GE(candidates[0].rounds, 5);
  EXPECT_THAT(candidates[1].reason, HasSubstr("has no fp16 kernels"));
  EXPECT_FALSE(candidates[1].median_ms);
  EXPECT_TRUE(candidates[2].chosen);
  EXPECT_EQ(candidates[2].reason, "fastest");
  EXPECT_THAT(candidates[3].reason, HasSubstr("no dynamic ranges"));
  TinyCall call(1);
  result.engine->create_context()->execute(1, call.bindings());
  EXPECT_EQ(backend.behaviour.compiled, 2);
}

TEST(Builder, TimesNothingWhereNothingRuns) {
  FakeBackend backend;
  backend.behaviour.cannot_run = "the fake has no device";
  backend.behaviour.precisions = {Precision::kFloat32, Precision::kFloat16, Precision::kBFloat16};
  BuildOptions options;
  options.max_batch = 4;
  EXPECT_EQ(build(tiny_graph(), options, backend).report.candidates[0].reason, "the only one");
  options.precisions = {Precision::kFloat16, Precision::kInt8};
  const BuildResult result = build(tiny_graph(), options, backend);
  EXPECT_EQ(result.engine->precision(), Precision::kFloat16);
  EXPECT_EQ(result.engine->config().slice, 0);
  EXPECT_EQ(result.report.untimed, "the fake has no device");
  EXPECT_TRUE(result.report.slices.empty());
  const auto& candidates = result.report.candidates;
  ASSERT_EQ(candidates.size(), 3U);
  EXPECT_EQ(candidates[0].reason, "not the lowest that is permitted");
  EXPECT_EQ(candidates[1].reason, "the lowest that is permitted: nothing is timed");
  EXPECT_THAT(candidates[2].reason, HasSubstr("no dynamic ranges"));
  for (const Candidate& candidate : candidates) EXPECT_FALSE(candidate.median_ms);
  EXPECT_EQ(backend.behaviour.compiled, 2) << "one a build";
  TinyCall call(1);
  EXPECT_THAT(message_of<BackendError>(
                  [&] { result.engine->create_context()->execute(1, call.bindings()); }),
              HasSubstr("the fake has no device"));
  options.obey = true;
  options.precisions = {Precision::kBFloat16};
  EXPECT_EQ(build(tiny_graph(), options, backend).report.candidates[0].reason, "forced");
}

TEST(Builder, ObeysOnePrecisionOrSaysWhyNot) {
  FakeBackend backend;
  BuildOptions options;
  options.obey = true;
  options.precisions = {Precision::kBFloat16};
  EXPECT_THAT(message_of<InputError>([&] { build(tiny_graph(), options, backend); }),
              HasSubstr("cannot build in bf16: this device (device fake 1) has no bf16 kernels"));
  backend.behaviour.precisions.push_back(Precision::kBFloat16);
  const BuildResult result = build(tiny_graph(), options, backend);
  EXPECT_EQ(result.engine->precision(), Precision::kBFloat16);
  EXPECT_EQ(result.report.candidates.size(), 1U);
  options.precisions.push_back(Precision::kFloat16);
  EXPECT_THROW(build(tiny_graph(), options, backend), InputError);
}

TEST(Builder, AnEmulatedPrecisionIsBuiltOnlyWhenForced) {
  FakeBackend backend;
  backend.behaviour.emulated = {Precision::kFloat16};
  BuildOptions options;
  options.precisions = {Precision::kFloat16};
  const BuildResult permitted = build(tiny_graph(), options, backend);
  EXPECT_EQ(permitted.engine->precision(), Precision::kFloat32);
  EXPECT_THAT(permitted.report.candidates[1].reason, HasSubstr("only emulates fp16"));
  options.obey = true;
  EXPECT_EQ(build(tiny_graph(), options, backend).engine->precision(), Precision::kFloat16);
}

/// The convolutions of `graph` with int8 weights.
std::vector<std::string> int8_layers(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) {
    if (node.op != Op::kConv2D) continue;
    if (graph.node(node.inputs[1]).op == Op::kDequantize) names.push_back(node.name);
  }
  return names;
}

/// int8 ten times as fast as fp32, mixed faster still.
void make_int8_fast(FakeBackend& backend) {
  backend.behaviour.precisions = {Precision::kFloat32, Precision::kInt8, Precision::kMixed};
  backend.behaviour.run_ms = [](Precision precision) {
    if (precision == Precision::kMixed) return 0.5;
    return precision == Precision::kInt8 ? 1.0 : 10.0;
  };
}

BuildOptions int8_options() {
  BuildOptions options;
  options.precisions = {Precision::kInt8};
  options.int8 = Int8Options{{{"x", 1.0}, {"relu", 2.0}}, {}};
  options.timing_budget_ms = 0;
  return options;
}

TEST(Builder, QuantisesForInt8AndNotForOtherPrecisions) {
  FakeBackend backend;
  make_int8_fast(backend);
  const BuildResult fast = build(conv_graph(), int8_options(), backend);
  EXPECT_EQ(fast.engine->precision(), Precision::kInt8);
  EXPECT_THAT(int8_layers(fast.engine->graph()), testing::ElementsAre("first", "last"));
  backend.behaviour.run_ms = [](Precision precision) {
    return precision == Precision::kInt8 ? 10.0 : 1.0;
  };
  const BuildResult slow = build(conv_graph(), int8_options(), backend);
  EXPECT_EQ(slow.engine->precision(), Precision::kFloat32);
  EXPECT_THAT(int8_layers(slow.engine->graph()), testing::IsEmpty());
}

TEST(Builder, ClassActivationMapsAreAnOutputMoreAndStayInFloat) {
  const Graph network = graph_from_text(
      R"("x" = input() element=float32 shape=[?,2,2,2] layout=nhwc : float32[?,2,2,2]
"mean" = reduce("x") kind=mean axes=[1,2] keep_dims=false : float32[?,2]
"w" = constant() value={1,2,3,4} : float32[2,2]
"logits" = matmul("mean","w") transpose_a=false transpose_b=false : float32[?,2]
"y" = activation("logits") kind=sigmoid alpha=0 : float32[?,2]
output "y" = "y"
)");
  FakeBackend backend;
  make_int8_fast(backend);
  BuildOptions options = int8_options();
  options.int8 = Int8Options{{{"mean", 1.0}}, {}};
  options.class_activation = true;
  const BuildResult result = build(network, options, backend);
  EXPECT_EQ(result.engine->precision(), Precision::kInt8);
  ASSERT_EQ(result.engine->outputs().size(), 2U);
  EXPECT_EQ(result.engine->outputs()[1].name, "class_activation_maps");
  EXPECT_THAT(int8_layers(result.engine->graph()), testing::IsEmpty());
  options.int8 = Int8Options{{{"x", 1.0}, {"relu", 2.0}}, {}};
  EXPECT_THAT(message_of<InputError>([&] { build(conv_graph(), options, backend); }),
              HasSubstr("class activation maps need"));
}

TEST(Builder, MixedIsTheQuantisedGraphToo) {
  FakeBackend backend;
  make_int8_fast(backend);
  BuildOptions options = int8_options();
  options.precisions.push_back(Precision::kMixed);
  const BuildResult result = build(conv_graph(), options, backend);
  EXPECT_EQ(result.engine->precision(), Precision::kMixed);
  EXPECT_THAT(int8_layers(result.engine->graph()), testing::ElementsAre("first", "last"));
  ASSERT_EQ(result.report.candidates.size(), 3U);
  EXPECT_THAT(result.report.candidates[1].reason, HasSubstr("slower"));
}

TEST(Builder, LayersInHighPrecisionKeepFloatWeights) {
  FakeBackend backend;
  make_int8_fast(backend);
  BuildOptions options = int8_options();
  options.int8->high_precision = {"first"};
  const BuildResult result = build(conv_graph(), options, backend);
  EXPECT_THAT(int8_layers(result.engine->graph()), testing::ElementsAre("last"));
  options.int8->high_precision = {"nowhere"};
  EXPECT_THAT(message_of<InputError>([&] { build(conv_graph(), options, backend); }),
              HasSubstr("no layer 'nowhere'"));
}

TEST(Builder, WhatIsRuledOutIsNotBuilt) {
  FakeBackend backend;
  make_int8_fast(backend);
  BuildOptions options = int8_options();
  options.precisions.push_back(Precision::kMixed);
  options.ruled_out[Precision::kMixed] = "not accurate enough";
  const BuildResult result = build(conv_graph(), options, backend);
  EXPECT_EQ(result.engine->precision(), Precision::kInt8);
  EXPECT_EQ(result.report.candidates[2].reason, "not accurate enough");
  EXPECT_EQ(backend.behaviour.compiled, 2);
  options.precisions = {Precision::kMixed};
  options.obey = true;
  EXPECT_THAT(message_of<InputError>([&] { build(conv_graph(), options, backend); }),
              HasSubstr("cannot build in mixed: not accurate enough"));
}

TEST(Builder, Int8NeedsRangesAndTheDevice) {
  FakeBackend backend;
  make_int8_fast(backend);
  BuildOptions options = int8_options();
  options.int8->ranges.erase("relu");
  EXPECT_THAT(message_of<InputError>([&] { build(conv_graph(), options, backend); }),
              HasSubstr("no dynamic range for 1 of 2 values ('relu')"));
  backend.behaviour.precisions = {Precision::kFloat32};
  const BuildResult without = build(conv_graph(), options, backend);
  EXPECT_EQ(without.engine->precision(), Precision::kFloat32);
  EXPECT_THAT(without.report.candidates[1].reason, HasSubstr("has no int8 kernels"));
  options.obey = true;
  options.int8.reset();
  EXPECT_THAT(message_of<InputError>([&] { build(conv_graph(), options, backend); }),
              HasSubstr("cannot build in int8: there are no dynamic ranges"));
}

TEST(Builder, ListsEveryNodeThatHasNoLowering) {
  FakeBackend backend;
  backend.behaviour.unsupported = {Op::kBinary};
  const std::string message =
      message_of<InputError>([&] { build(tiny_graph(), BuildOptions{}, backend); });
  EXPECT_THAT(message, HasSubstr("cannot run 2 nodes"));
  EXPECT_THAT(message, HasSubstr("'scaled' (binary): the fake has no such kernel"));
  EXPECT_THAT(message, HasSubstr("'shifted' (binary)"));
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(Builder, ChecksItsOptions) {
  FakeBackend backend;
  const auto error = [&](const BuildOptions& options, const Graph& graph) {
    return message_of<InputError>([&] { build(graph, options, backend); });
  };
  BuildOptions options;
  options.max_batch = 0;
  EXPECT_THAT(error(options, tiny_graph()), HasSubstr("1 or more"));
  options.max_batch = 2;
  options.timing_batch = 3;
  EXPECT_THAT(error(options, tiny_graph()), HasSubstr("outside 1 ... 2"));
  options.timing_batch = 0;
  Graph fixed;
  fixed.add_output("y", fixed.add_input("x", {ElementType::kFloat32, {2, 3}}));
  EXPECT_THAT(error(options, fixed), HasSubstr("have no batch"));
  options.streams = 0;
  EXPECT_THAT(error(options, tiny_graph()), HasSubstr("streams"));
}

TEST(Builder, ReportsProgressAndStopsWhenItThrows) {
  FakeBackend backend;
  std::vector<std::string> stages;
  BuildOptions options;
  options.progress = [&](const std::string& stage, int done, int total) {
    EXPECT_LE(done, total);
    stages.push_back(stage);
  };
  build(tiny_graph(), options, backend);
  EXPECT_THAT(stages, testing::ElementsAre("check", "optimize", "compile fp32", "time", "finish",
                                           "finish"));
  backend.behaviour.compiled = 0;
  options.progress = [](const std::string&, int, int) { throw Error("cancelled"); };
  EXPECT_THROW(build(tiny_graph(), options, backend), Error);
  EXPECT_EQ(backend.behaviour.compiled, 0);
}

using BuilderFiles = FolderTest;

TEST_F(BuilderFiles, ReadsTheTimingCacheFirstAndWritesItLast) {
  BuildOptions options;
  options.timing_cache = path("cache");
  FakeBackend first;
  first.behaviour.times_kernels = true;
  build(tiny_graph(), options, first);
  ASSERT_EQ(file_count(), 1);
  FakeBackend again;
  again.behaviour.times_kernels = true;
  bool was_there = false;
  options.progress = [&](const std::string& stage, int, int) {
    if (stage == "compile fp32") was_there = again.timings()->find("all").has_value();
  };
  build(tiny_graph(), options, again);
  EXPECT_TRUE(was_there);
  FakeBackend without;
  EXPECT_THROW(build(tiny_graph(), options, without), InputError);
  EXPECT_EQ(without.behaviour.compiled, 0);
}

}  // namespace
}  // namespace chexnet_trt
