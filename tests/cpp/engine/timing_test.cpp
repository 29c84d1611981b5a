#include "engine/timing.hpp"

#include <gtest/gtest.h>

#include "engine/fake_backend.hpp"

namespace chexnet_trt {
namespace {

TEST(Timing, TellsSlowFromFastAndKeepsItsRounds) {
  FakeBackend backend;
  backend.behaviour.run_ms = [](Precision precision) {
    return precision == Precision::kFloat32 ? 20.0 : 0.0;
  };
  const Graph graph = tiny_graph();
  const HostBuffers buffers(input_infos(graph), output_infos(graph), 1, backend);
  CompileOptions options;
  const auto slow = backend.compile(graph, options);
  options.precision = Precision::kInt8;
  const auto fast = backend.compile(graph, options);
  const auto timings = time_interleaved({slow.get(), fast.get()}, buffers, {3, 0});
  ASSERT_EQ(timings.size(), 2U);
  EXPECT_EQ(timings[0].rounds, 3);
  EXPECT_EQ(timings[1].rounds, 3);
  EXPECT_GE(timings[0].median_ms, 20);
  EXPECT_LT(timings[1].median_ms, timings[0].median_ms);
}

}  // namespace
}  // namespace chexnet_trt
