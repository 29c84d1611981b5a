#include "backends/cuda/memory_plan.hpp"

#include <gtest/gtest.h>

#include "backends/cuda/fusion.hpp"
#include "backends/cuda/networks.hpp"

namespace chexnet_trt::cuda {
namespace {

/// Values of 1 x 1 x `channels` float32, the i-th step reading value i and writing value i + 1.
Program chain_of(const std::vector<std::int64_t>& channels) {
  Program program;
  for (const std::int64_t count : channels) {
    Value value;
    value.channels = count;
    program.values.push_back(value);
  }
  for (std::size_t index = 0; index + 1 < channels.size(); ++index) {
    Step step;
    step.kind = MapStep{static_cast<int>(index)};
    step.epilogue.output = static_cast<int>(index) + 1;
    program.steps.push_back(step);
  }
  return program;
}

TEST(MemoryPlan, ReusesWhatIsNoLongerRead) {
  const MemoryPlan plan = plan_memory(chain_of({64, 64, 64, 64}));
  EXPECT_EQ(plan.bytes, 2 * 64 * sizeof(float));
  EXPECT_NE(plan.offsets[0], plan.offsets[1]);
  EXPECT_NE(plan.offsets[1], plan.offsets[2]);
  EXPECT_EQ(plan.offsets[0], plan.offsets[2]);
}

TEST(MemoryPlan, PutsPartsIntoTheirOwner) {
  Program program = chain_of({64, 16, 64});
  program.values[1].parent = 0;
  program.values[1].offset = 32;
  const MemoryPlan plan = plan_memory(program);
  EXPECT_EQ(plan.offsets[1], plan.offsets[0] + 32 * sizeof(float));
}

TEST(MemoryPlan, NeverOverlapsValuesThatLiveTogether) {
  for (const Graph& g : {testing::residual_network(), testing::dense_network()}) {
    const Program program = fuse(g, 3, Precision::kFloat16);
    const MemoryPlan plan = plan_memory(program);
    const auto end_of = [&](int value) {
      const Value& own = program.values[static_cast<std::size_t>(value)];
      return plan.offsets[static_cast<std::size_t>(value)] +
             static_cast<std::size_t>(3 * own.height * own.width * pitch_of(own)) * 2;
    };
    for (const Step& step : program.steps) {
      for (const int read : reads_of(step)) {
        for (const int written : writes_of(step)) {
          const int a = place_of(program, read).owner;
          const int b = place_of(program, written).owner;
          if (a == b || program.values[static_cast<std::size_t>(b)].binding >= 0) continue;
          EXPECT_TRUE(end_of(a) <= plan.offsets[static_cast<std::size_t>(b)] ||
                      end_of(b) <= plan.offsets[static_cast<std::size_t>(a)])
              << step.name;
          EXPECT_LE(end_of(b), plan.bytes);
        }
      }
    }
  }
}

}  // namespace
}  // namespace chexnet_trt::cuda
