#include "backends/cuda/tactics.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "backends/cuda/fusion.hpp"
#include "backends/cuda/networks.hpp"
#include "backends/cuda/timing_key.hpp"
#include "common/error.hpp"

namespace chexnet_trt::cuda {
namespace {

bool is_alone(const ConvTile& tile) {
  return tile.kernel != ConvKernel::kBackToBack && tile.kernel != ConvKernel::kJoined;
}

int tiles_of_one() {
  return static_cast<int>(std::count_if(conv_tiles().begin(), conv_tiles().end(), is_alone));
}

TEST(Tactics, ReadsWhatItWrites) {
  const Program program = fuse(testing::residual_network(), 1, Precision::kFloat16);
  Tactics tactics(program.steps.size(), 0);
  for (std::size_t index = 0; index < tactics.size(); ++index) {
    if (std::holds_alternative<ConvStep>(program.steps[index].kind)) {
      tactics[index] = index % static_cast<std::size_t>(tiles_of_one());
    }
  }
  const std::string text = to_text(program, tactics);
  EXPECT_EQ(tactics_from_text(text, program), tactics);
  EXPECT_THROW(tactics_from_text(text + "mma_64x64\n", program), BackendError);
  EXPECT_THROW(tactics_from_text(text.substr(text.find('\n') + 1), program), BackendError);
  EXPECT_THROW(tactics_from_text("mma_63x64" + text.substr(text.find('\n')), program),
               BackendError);
}

TEST(Tactics, MapsFirstWhereThatIsFasterAndThereIsAPrologue) {
  const Program program = fuse(testing::prologue_network(), 1, Precision::kFloat16);
  const auto time = [&](std::size_t step, std::size_t tile) -> std::optional<double> {
    const bool maps_first = conv_tiles()[tile].maps_first;
    if (maps_first && !std::get<ConvStep>(program.steps[step].kind).prologue) return std::nullopt;
    return maps_first ? 1.0 : 2.0;
  };
  TimingCache cache;
  const Tactics tactics = choose_tactics(program, time, cache);
  for (std::size_t step = 0; step < tactics.size(); ++step) {
    EXPECT_EQ(conv_tiles()[tactics[step]].maps_first, program.steps[step].name == "pointwise");
  }
  const std::string text = to_text(program, tactics);
  EXPECT_NE(text.find("map_mma_64x64\n"), std::string::npos) << text;
  EXPECT_EQ(tactics_from_text(text, program), tactics);
  EXPECT_THROW(tactics_from_text("map_mma_64x64" + text.substr(text.find('\n')), program),
               BackendError);
}

TEST(TimingKey, IsTheSameForTheSameLayerAlone) {
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
}

/// A device on which tile `best` is the fastest and the first one cannot be launched.
struct FakeTimer {
  std::size_t best = 3;
  int calls = 0;

  TimeTile function() {
    return [this](std::size_t, std::size_t tile) -> std::optional<double> {
      ++calls;
      if (tile == 0) return std::nullopt;
      return tile == best ? 1.0 : 2.0;
    };
  }
};

TEST(Tactics, TakesTheFastestTileAndTimesALayerOnce) {
  const Program program = fuse(testing::residual_network(), 1, Precision::kFloat16);
  FakeTimer timer;
  TimingCache cache;
  const Tactics tactics = choose_tactics(program, timer.function(), cache);
  for (std::size_t index = 0; index < tactics.size(); ++index) {
    const bool is_conv = std::holds_alternative<ConvStep>(program.steps[index].kind);
    EXPECT_EQ(tactics[index], is_conv ? timer.best : 0);
  }
  // A layer of block 1 is one of block 0.
  EXPECT_EQ(timer.calls, static_cast<int>(cache.times().size()) * tiles_of_one());
  EXPECT_LT(cache.times().size(),
            static_cast<std::size_t>(std::count_if(tactics.begin(), tactics.end(),
                                                   [](std::size_t tile) { return tile != 0; })));
  FakeTimer other;
  other.best = 5;
  EXPECT_EQ(choose_tactics(program, other.function(), cache), tactics);
  EXPECT_EQ(other.calls, 0);
}

TEST(Tactics, TimesAgainWhatTheCacheCallsByAnUnknownName) {
  const Program program = fuse(testing::residual_network(), 1, Precision::kFloat16);
  FakeTimer timer;
  TimingCache cache;
  const Tactics tactics = choose_tactics(program, timer.function(), cache);
  const KernelTimes times = cache.times();
  cache.put(times.begin()->first, {"mma_63x64", 1});
  timer.calls = 0;
  EXPECT_EQ(choose_tactics(program, timer.function(), cache), tactics);
  EXPECT_EQ(timer.calls, tiles_of_one());
  EXPECT_EQ(cache.find(times.begin()->first)->kernel, times.begin()->second.kernel);
}

/// Both convolutions take 1 ms each, together they take `together`.
Tactics tactics_of_pair(const Program& program, double together, TimingCache& cache) {
  const auto time = [&](std::size_t, std::size_t tile) -> std::optional<double> {
    return is_alone(conv_tiles()[tile]) ? 1.0 : together;
  };
  return choose_tactics(program, time, cache);
}

TEST(Tactics, JoinsTwoConvolutionsWhereThatIsFaster) {
  const Program program =
      fuse(testing::pair_network({}, testing::PairKind::kPreactivation), 1, Precision::kFloat16);
  const BackToBack& pair = program.back_to_back.at(0);
  TimingCache cache;
  const Tactics joined = tactics_of_pair(program, 1.9, cache);
  EXPECT_EQ(conv_tiles()[joined[pair.first]].kernel, ConvKernel::kBackToBack);
  EXPECT_EQ(joined[pair.second], joined_conv_tile());
  EXPECT_EQ(tactics_of_pair(program, 9, cache), joined) << "told by the cache";
  TimingCache other;
  const Tactics apart = tactics_of_pair(program, 2.1, other);
  EXPECT_TRUE(is_alone(conv_tiles()[apart[pair.first]]));
  EXPECT_TRUE(is_alone(conv_tiles()[apart[pair.second]]));
}

TEST(Tactics, TakesNoKernelForTwoFromTheCacheForOne) {
  const Program program = fuse(testing::residual_network(), 1, Precision::kFloat16);
  FakeTimer timer;
  TimingCache cache;
  const Tactics tactics = choose_tactics(program, timer.function(), cache);
  const KernelTimes times = cache.times();
  for (const char* kernel : {"joined", "back_to_back_192x64"}) {
    cache.put(times.begin()->first, {kernel, 0});
    EXPECT_EQ(choose_tactics(program, timer.function(), cache), tactics) << kernel;
    EXPECT_EQ(cache.find(times.begin()->first)->kernel, times.begin()->second.kernel);
  }
}

TEST(Tactics, RefusesAJoinedConvolutionWithoutItsFirst) {
  const Program program =
      fuse(testing::pair_network({}, testing::PairKind::kPreactivation), 1, Precision::kFloat16);
  const BackToBack& pair = program.back_to_back.at(0);
  TimingCache cache;
  const Tactics joined = tactics_of_pair(program, 1, cache);
  EXPECT_EQ(tactics_from_text(to_text(program, joined), program), joined);
  Tactics broken = joined;
  broken[pair.first] = 0;
  EXPECT_THROW(tactics_from_text(to_text(program, broken), program), BackendError);
  broken = joined;
  broken[pair.second] = 0;
  EXPECT_THROW(tactics_from_text(to_text(program, broken), program), BackendError);
  const Program without = fuse(testing::residual_network(), 1, Precision::kFloat16);
  Tactics lone(without.steps.size(), 0);
  for (std::size_t index = 0; index < lone.size(); ++index) {
    if (std::holds_alternative<ConvStep>(without.steps[index].kind)) {
      lone[index] = joined_conv_tile();
    }
  }
  EXPECT_THROW(tactics_from_text(to_text(without, lone), without), BackendError);
}

TEST(Tactics, TakesThePlainTileWhereNoneCanBeTimed) {
  const Program program = fuse(testing::residual_network(), 1, Precision::kFloat16);
  TimingCache cache;
  const auto none = [](std::size_t, std::size_t) { return std::optional<double>(); };
  const Tactics tactics = choose_tactics(program, none, cache);
  EXPECT_EQ(*std::max_element(tactics.begin(), tactics.end()), plain_conv_tile());
  EXPECT_TRUE(cache.times().empty());
}

}  // namespace
}  // namespace chexnet_trt::cuda
