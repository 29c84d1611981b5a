#include "backends/cuda/unit_affine.hpp"

#include <gtest/gtest.h>

namespace chexnet_trt::cuda {
namespace {

Value value_of(ElementType element, float scale) {
  Value value;
  value.channels = 5;
  value.element = element;
  value.scale = scale;
  return value;
}

/// Input, output, second output.
Program program_of(ElementType element) {
  Program program;
  program.values = {value_of(ElementType::kInt8, 0.25F), value_of(element, 0.5F),
                    value_of(ElementType::kUInt8, 0.1F)};
  return program;
}

Step step_of(StepKind kind) {
  Step step;
  step.kind = std::move(kind);
  step.epilogue.output = 1;
  step.epilogue.affine = {{1, 2, 3, 4, 5}, {10, 20, 30, 40, 50}};
  step.epilogue.second = 2;
  step.epilogue.second_affine = {{0.5F, 1, 1, 1, 1}, {7, 0, 0, 0, 0}};
  return step;
}

ConvStep conv() { return ConvStep{0, {}, {1, 1}, {1, 1}, {0, 0}}; }

TEST(UnitAffine, CountsLevelsFromTheLowestOverTheirNumber) {
  const std::vector<float> table = unit_affine(program_of(ElementType::kInt8), step_of(conv()));
  ASSERT_EQ(table.size(), 4U * 8U);  // channels in whole fours
  EXPECT_FLOAT_EQ(table[1], 2 / 0.5F / 255);
  EXPECT_FLOAT_EQ(table[8 + 1], (20 / 0.5F + 128) / 255);
  // From the level n, counted from -128: (n - 128) * 0.5 is the number.
  EXPECT_FLOAT_EQ(table[16], 0.5F * 0.5F / 0.1F / 255);
  EXPECT_FLOAT_EQ(table[24], (7 / 0.1F) / 255 - 128 * table[16]);
}

TEST(UnitAffine, LeavesOutTheLevelsBelowARelu) {
  Step step = step_of(conv());
  step.epilogue.activation = ActivationAttributes{ActivationKind::kRelu};
  const std::vector<float> table = unit_affine(program_of(ElementType::kInt8), step);
  EXPECT_FLOAT_EQ(table[0], 1 / 0.5F / 127);
  EXPECT_FLOAT_EQ(table[8], 10 / 0.5F / 127);
}

TEST(UnitAffine, TakesNumbersWhereTheOutputHasNoLevels) {
  const std::vector<float> table = unit_affine(program_of(ElementType::kFloat32), step_of(conv()));
  EXPECT_FLOAT_EQ(table[2], 3);
  EXPECT_FLOAT_EQ(table[8 + 2], 30);
  EXPECT_FLOAT_EQ(table[16], 0.5F / 0.1F / 255);
  EXPECT_FLOAT_EQ(table[24], 7 / 0.1F / 255);
}

TEST(UnitAffine, ScalesTheStoredLevelsOfItsInput) {
  const std::vector<float> table =
      unit_affine(program_of(ElementType::kUInt8), step_of(MapStep{0}));
  EXPECT_FLOAT_EQ(table[0], 0.25F / 0.5F / 255);
  EXPECT_FLOAT_EQ(table[8], 10 / 0.5F / 255);
  EXPECT_TRUE(unit_affine(program_of(ElementType::kUInt8), step_of(MeanStep{0})).empty());
}

}  // namespace
}  // namespace chexnet_trt::cuda
