#include "backends/cuda/conv_weights.hpp"

#include <gtest/gtest.h>

namespace chexnet_trt::cuda {
namespace {

TEST(ConvWeights, PutsOutputChannelsFirst) {
  const Tensor weights = Tensor::from_floats({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor result = out_channels_first(weights);
  EXPECT_EQ(result.shape(), (Shape{3, 1, 2, 1}));
  EXPECT_EQ(result.to_doubles(), (std::vector<double>{1, 4, 2, 5, 3, 6}));
}

TEST(ConvWeights, PutsOutputChannelsOfATransposedConvolutionFirst) {
  const Tensor weights = Tensor::from_floats({1, 2, 2, 1}, {1, 2, 3, 4});
  const Tensor result = transposed_out_channels_first(weights);
  EXPECT_EQ(result.shape(), (Shape{2, 1, 2, 1}));
  EXPECT_EQ(result.to_doubles(), (std::vector<double>{1, 3, 2, 4}));
}

TEST(ConvWeights, MakesBlocksOfTapsChannels) {
  const Tensor weights = Tensor::from_floats({1, 3, 2, 1}, {1, 2, 3, 4, 5, 6});
  const Tensor result = over_blocks(weights);
  EXPECT_EQ(result.shape(), (Shape{1, 2, 1, 4}));
  EXPECT_EQ(result.to_doubles(), (std::vector<double>{1, 2, 3, 4, 5, 6, 0, 0}));
}

TEST(ConvWeights, FillsWordsWithZeros) {
  const Tensor weights = Tensor::from_floats({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6});
  const std::vector<std::byte> packed = packed_weights(weights, ElementType::kFloat32);
  ASSERT_EQ(packed.size(), 32U);
  const std::vector<double> values =
      Tensor::copy(ElementType::kFloat32, {8}, {packed.data(), packed.size()}).to_doubles();
  EXPECT_EQ(values, (std::vector<double>{1, 2, 3, 0, 4, 5, 6, 0}));
}

}  // namespace
}  // namespace chexnet_trt::cuda
