#include "backends/cuda/tactics.hpp"

#include <gtest/gtest.h>

#include "backends/cuda/fusion.hpp"
#include "backends/cuda/networks.hpp"
#include "common/error.hpp"

namespace chexnet_trt::cuda {
namespace {

TEST(Tactics, ReadsWhatItWrites) {
  const Program program = fuse(testing::residual_network(), 1, Precision::kFloat16);
  Tactics tactics(program.steps.size(), 0);
  for (std::size_t index = 0; index < tactics.size(); ++index) {
    if (std::holds_alternative<ConvStep>(program.steps[index].kind)) {
      tactics[index] = index % conv_tiles().size();
    }
  }
  const std::string text = to_text(program, tactics);
  EXPECT_EQ(tactics_from_text(text, program), tactics);
  EXPECT_THROW(tactics_from_text(text + "mma_64x64\n", program), BackendError);
  EXPECT_THROW(tactics_from_text(text.substr(text.find('\n') + 1), program), BackendError);
  EXPECT_THROW(tactics_from_text("mma_63x64" + text.substr(text.find('\n')), program),
               BackendError);
}

TEST(TimingCache, KnowsALayerAgain) {
  const Program program = fuse(testing::residual_network(), 1, Precision::kFloat16);
  const Program other = fuse(testing::residual_network(), 2, Precision::kFloat16);
  const auto key_of = [](const Program& from, const std::string& name) {
    for (const Step& step : from.steps) {
      if (step.name == name) return timing_key(from, step);
    }
    return std::string();
  };
  EXPECT_EQ(key_of(program, "block0/b"), key_of(program, "block1/b"));
  EXPECT_NE(key_of(program, "block0/b"), key_of(program, "block2/b"));
  EXPECT_NE(key_of(program, "block0/b"), key_of(other, "block0/b"));
  TimingCache cache;
  EXPECT_FALSE(cache.find("a").has_value());
  cache.put("a", 3);
  EXPECT_EQ(cache.find("a"), std::optional<std::size_t>(3));
}

}  // namespace
}  // namespace chexnet_trt::cuda
