#include "common/tensor.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "common/error.hpp"
#include "common/half.hpp"

namespace chexnet_trt {
namespace {

TEST(Tensor, RefusesBytesThatDoNotFillTheShape) {
  const std::vector<float> values{1, 2, 3};
  EXPECT_THROW(Tensor::from_floats({2}, values), InputError);
  EXPECT_THROW(Tensor::copy(ElementType::kFloat32, {1}, {values.data(), 5}), InputError);
  EXPECT_THROW(Tensor::copy(ElementType::kFloat32, {kBatch}, {values.data(), 4}), InputError);
}

TEST(Tensor, RefusesShapesThatOverflow) {
  const Shape huge(5, 1LL << 40);
  EXPECT_THROW(Tensor::copy(ElementType::kFloat32, huge, {}), InputError);
}

TEST(Tensor, EveryTypeKeepsSmallIntegers) {
  for (const ElementType type :
       {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBFloat16, ElementType::kInt8,
        ElementType::kUInt8, ElementType::kInt32, ElementType::kInt64}) {
    const Tensor tensor = tensor_from_doubles(type, {3}, {0, 1, 100});
    EXPECT_EQ(tensor.to_doubles(), (std::vector<double>{0, 1, 100})) << name_of(type);
  }
}

TEST(Tensor, IntegersSaturate) {
  EXPECT_EQ(tensor_from_doubles(ElementType::kInt8, {2}, {-1000, 1000}).to_ints(),
            (std::vector<std::int64_t>{-128, 127}));
}

TEST(Half, EveryPatternRoundTrips) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = float_from_half(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float_from_half(half_from_float(value))));
    } else {
      EXPECT_EQ(half_from_float(value), half) << bits;
    }
  }
}

TEST(Half, RoundsToNearestEven) {
  EXPECT_EQ(half_from_float(1.0F + 0x1p-11F), half_from_float(1.0F));
  EXPECT_EQ(half_from_float(1.0F + 0x3p-11F), half_from_float(1.0F + 0x1p-9F));
  EXPECT_EQ(half_from_float(65520.0F), 0x7C00);
  EXPECT_EQ(bfloat16_from_float(1.0F + 0x1p-8F), bfloat16_from_float(1.0F));
}

}  // namespace
}  // namespace chexnet_trt
