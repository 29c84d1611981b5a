#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "calibration/thresholds.hpp"

namespace chexnet_trt {
namespace {

Histogram histogram_of(const std::vector<float>& values) {
  Histogram histogram;
  histogram.add(values.data(), values.size());
  return histogram;
}

std::vector<float> draw(std::size_t count, unsigned seed,
                        const std::function<float(std::mt19937&)>& value) {
  std::mt19937 engine(seed);
  std::vector<float> values(count);
  std::generate(values.begin(), values.end(), [&] { return value(engine); });
  return values;
}

float gaussian(std::mt19937& engine) { return std::normal_distribution<float>()(engine); }

/// The published definition, step by step: the divergence when `bins` are cut after `kept`.
double slow_divergence(const std::vector<double>& bins, std::size_t kept) {
  std::vector<double> sums(128);
  std::vector<double> filled(128);
  for (std::size_t bin = 0; bin < kept; ++bin) {
    if (bins[bin] == 0) continue;
    sums[bin * 128 / kept] += bins[bin];
    filled[bin * 128 / kept] += 1;
  }
  std::vector<double> candidate(kept);
  for (std::size_t bin = 0; bin < kept; ++bin) {
    if (bins[bin] != 0) candidate[bin] = sums[bin * 128 / kept] / filled[bin * 128 / kept];
  }
  std::vector<double> reference(bins.begin(), bins.begin() + static_cast<std::ptrdiff_t>(kept));
  reference.back() = std::accumulate(bins.begin() + static_cast<std::ptrdiff_t>(kept), bins.end(),
                                     reference.back());
  const double reference_sum = std::accumulate(reference.begin(), reference.end(), 0.0);
  const double candidate_sum = std::accumulate(candidate.begin(), candidate.end(), 0.0);
  double divergence = 0;
  for (std::size_t bin = 0; bin < kept; ++bin) {
    if (reference[bin] == 0) continue;
    if (candidate[bin] == 0) return std::numeric_limits<double>::infinity();
    const double p = reference[bin] / reference_sum;
    divergence += p * std::log(p / (candidate[bin] / candidate_sum));
  }
  return divergence;
}

/// The bins that the definition keeps, which hold at least 99 % of the counts.
std::size_t slow_kept(const Histogram& histogram) {
  const std::vector<std::uint64_t> counts = histogram.counts();
  std::vector<double> bins(counts.begin(), counts.end());
  bins[0] = bins[1];
  std::size_t best = 128;
  double least = std::numeric_limits<double>::infinity();
  const double total = std::accumulate(bins.begin(), bins.end(), 0.0);
  double held = std::accumulate(bins.begin(), bins.begin() + 127, 0.0);
  for (std::size_t kept = 128; kept <= bins.size(); ++kept) {
    held += bins[kept - 1];
    if (held < 0.99 * total) continue;
    const double divergence = slow_divergence(bins, kept);
    if (divergence <= least) {
      least = divergence;
      best = kept;
    }
  }
  return best;
}

double slow_threshold(const Histogram& histogram) {
  const double edge = static_cast<double>(slow_kept(histogram)) * histogram.bin_width();
  return std::min(edge, static_cast<double>(histogram.max_abs()));
}

TEST(EntropyTest, FollowsTheDefinition) {
  const std::vector<std::vector<float>> samples = {
      draw(100'000, 1, gaussian),
      draw(100'000, 2, [](auto& engine) { return std::max(gaussian(engine), 0.0F); }),
      draw(100'000, 3, [](auto& engine) { return std::exp(gaussian(engine)); }),
      draw(50'000, 4, [](auto& engine) { return std::generate_canonical<float, 24>(engine); }),
      draw(2'000, 5, gaussian),
      draw(300, 6, gaussian),
      draw(50'000, 7,
           [](auto& engine) { return engine() % 5'000 == 0 ? 90.0F : 3.0F + gaussian(engine); }),
      {1.0F, 2.0F, 3.0F},
      {0.0F, 0.0F, -7.0F},
      {100.0F, 150.0F, 200.0F, 200.0F},
  };
  for (std::size_t sample = 0; sample < samples.size(); ++sample) {
    const Histogram histogram = histogram_of(samples[sample]);
    EXPECT_EQ(entropy_threshold(histogram), slow_threshold(histogram)) << "sample " << sample;
  }
}

TEST(EntropyTest, CutsFarOutliers) {
  std::vector<float> values = draw(200'000, 8, gaussian);
  values.insert(values.end(), 5, 60.0F);
  const double amax = entropy_threshold(histogram_of(values));
  EXPECT_GT(amax, 2.0);
  EXPECT_LT(amax, 6.0);
}

TEST(EntropyTest, KeepsEverythingOfAUniformDistribution) {
  const auto values = draw(
      500'000, 9, [](auto& engine) { return std::generate_canonical<float, 24>(engine) * 2 - 1; });
  const Histogram histogram = histogram_of(values);
  EXPECT_NEAR(entropy_threshold(histogram), 1.0, histogram.bin_width());
}

TEST(EntropyTest, KeepsValuesThatBeginFarFromZero) {
  const auto level = [](std::uint_fast32_t value) { return static_cast<float>(value) / 255.0F; };
  const Histogram film =
      histogram_of(draw(50'000, 11, [&](auto& engine) { return level(24 + engine() % 232); }));
  EXPECT_EQ(entropy_threshold(film), 1.0);
  const Histogram with_border = histogram_of(draw(50'000, 12, [&](auto& engine) {
    return engine() % 3 != 0 ? level(24) : level(25 + engine() % 231);
  }));
  EXPECT_EQ(entropy_threshold(with_border), 1.0);
  const Histogram far =
      histogram_of(draw(50'000, 13, [](auto& engine) { return 10 + gaussian(engine); }));
  EXPECT_GT(entropy_threshold(far), 12.0);
}

TEST(EntropyTest, ScalesWithTheValues) {
  std::vector<float> values = draw(50'000, 10, gaussian);
  const double amax = entropy_threshold(histogram_of(values));
  for (float& value : values) value *= 1024;
  EXPECT_EQ(entropy_threshold(histogram_of(values)), amax * 1024);
}

TEST(EntropyTest, KeepsTheOnlyValueThereIs) {
  EXPECT_EQ(entropy_threshold(histogram_of({-3.25F})), 3.25);
  EXPECT_EQ(entropy_threshold(histogram_of(std::vector<float>(1'000, 0.7F))), 0.7F);
}

TEST(EntropyTest, HasARangeForZeros) {
  EXPECT_EQ(entropy_threshold(Histogram()), kAmaxOfZeros);
  EXPECT_EQ(entropy_threshold(histogram_of({0.0F, -0.0F})), kAmaxOfZeros);
  EXPECT_EQ(entropy_threshold(histogram_of({1e-40F})), kAmaxOfZeros);
}

}  // namespace
}  // namespace chexnet_trt
