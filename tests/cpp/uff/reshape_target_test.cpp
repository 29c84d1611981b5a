#include "uff/reshape_target.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace chexnet_trt::uff {
namespace {

const ReshapeEntry kBatchEntry{0, true};

TEST(ReshapeTarget, TheLeadingEntryMayStandForTheBatch) {
  const Shape image{kBatch, 7, 7, 4};
  const Shape row{kBatch, 196};
  EXPECT_EQ(reshape_target(image, {{-1}, {196}}, {}), row);
  EXPECT_EQ(reshape_target(image, {{1}, {-1}}, {}), row);
  EXPECT_EQ(reshape_target(image, {{0}, {-1}}, {}), row);
  EXPECT_EQ(reshape_target(image, {{128}, {-1}}, {128}), row);
  EXPECT_EQ(reshape_target(image, {kBatchEntry, {-1}}, {}), row);
  EXPECT_EQ(reshape_target(image, {kBatchEntry, {49}, {4}}, {}), (Shape{kBatch, 49, 4}));
}

TEST(ReshapeTarget, RefusesToMixImages) {
  const Shape image{kBatch, 7, 7, 2048};
  EXPECT_THROW(reshape_target(image, {{-1}, {2048}}, {}), InputError);
  EXPECT_THROW(reshape_target(image, {{49}, {-1}}, {}), InputError);
  EXPECT_THROW(reshape_target(image, {{128}, {-1}}, {}), InputError);
  EXPECT_THROW(reshape_target(image, {{7}, kBatchEntry, {14336}}, {}), InputError);
  EXPECT_THROW(reshape_target(image, {}, {}), InputError);
}

TEST(ReshapeTarget, OrdinaryRulesWithoutBatch) {
  EXPECT_EQ(reshape_target({2, 6}, {{3}, {-1}}, {}), (Shape{3, 4}));
  EXPECT_EQ(reshape_target({1}, {}, {}), Shape{});
  EXPECT_THROW(reshape_target({2, 6}, {{5}, {-1}}, {}), InputError);
  EXPECT_THROW(reshape_target({2, 6}, {{-1}, {-1}}, {}), InputError);
  EXPECT_THROW(reshape_target({2, 6}, {{-5}}, {}), InputError);
  EXPECT_THROW(reshape_target({2, 6}, {kBatchEntry, {6}}, {}), InputError);
}

}  // namespace
}  // namespace chexnet_trt::uff
