#include "engine/precision_choice.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "engine/fake_backend.hpp"

namespace chexnet_trt {
namespace {

Precision chosen(const std::vector<std::pair<Precision, double>>& medians) {
  FakeBackend backend;
  std::vector<Candidate> candidates;
  for (const auto& [precision, median] : medians) {
    Candidate candidate;
    candidate.precision = precision;
    candidate.executable = backend.compile(tiny_graph(), {});
    candidate.median_ms = median;
    candidates.push_back(candidate);
  }
  choose(candidates);
  int count = 0;
  Precision result = Precision::kFloat32;
  for (const Candidate& candidate : candidates) {
    EXPECT_NE(candidate.reason, "");
    EXPECT_EQ(candidate.chosen, candidate.executable != nullptr);
    if (candidate.chosen) result = candidate.precision;
    count += candidate.chosen ? 1 : 0;
  }
  EXPECT_EQ(count, 1);
  return result;
}

TEST(PrecisionChoice, TheFastestWins) {
  EXPECT_EQ(chosen({{Precision::kFloat32, 10}, {Precision::kFloat16, 5}, {Precision::kInt8, 4}}),
            Precision::kInt8);
}

TEST(PrecisionChoice, WithinTwoPercentTheHighestPrecisionWins) {
  EXPECT_EQ(chosen({{Precision::kFloat32, 10.1}, {Precision::kBFloat16, 10}}), Precision::kFloat32);
  EXPECT_EQ(chosen({{Precision::kFloat32, 10.3}, {Precision::kBFloat16, 10}}),
            Precision::kBFloat16);
  EXPECT_EQ(
      chosen({{Precision::kBFloat16, 10.1}, {Precision::kFloat16, 10.1}, {Precision::kInt8, 10}}),
      Precision::kFloat16);
}

TEST(PrecisionChoice, TheLowestThatCanBeBuiltStaysWhereNothingIsTimed) {
  std::vector<Candidate> candidates(4);
  candidates[0].precision = Precision::kFloat32;
  candidates[1].precision = Precision::kFloat16;
  candidates[2].precision = Precision::kInt8;
  candidates[3].precision = Precision::kMixed;
  candidates[3].reason = "ruled out";
  keep_lowest(candidates);
  EXPECT_EQ(candidates[0].reason, "not the lowest that is permitted");
  EXPECT_EQ(candidates[1].reason, "not the lowest that is permitted");
  EXPECT_EQ(candidates[2].reason, "");
  EXPECT_EQ(candidates[3].reason, "ruled out");
}

TEST(PrecisionChoice, NothingToChooseFromIsAnError) {
  std::vector<Candidate> candidates(1);
  EXPECT_THROW(choose(candidates), Error);
}

}  // namespace
}  // namespace chexnet_trt
