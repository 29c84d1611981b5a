#include "graph/per_channel.hpp"

#include <gtest/gtest.h>

namespace chexnet_trt {
namespace {

TEST(PerChannel, ReadsWhatBroadcastsAlongTheChannelsAlone) {
  const Shape nhwc{kBatch, 4, 5, 2};
  const std::vector<double> values{1, 2};
  EXPECT_EQ(per_channel(Tensor::from_floats({2}, {1, 2}), nhwc, 3), values);
  EXPECT_EQ(per_channel(Tensor::from_floats({1, 1, 1, 2}, {1, 2}), nhwc, 3), values);
  EXPECT_EQ(per_channel(Tensor::from_floats({}, {3}), nhwc, 3), (std::vector<double>{3, 3}));
  const Shape nchw{kBatch, 2, 4, 5};
  EXPECT_EQ(per_channel(Tensor::from_floats({2, 1, 1}, {1, 2}), nchw, 1), values);
}

TEST(PerChannel, IsEmptyForOtherConstants) {
  const Shape shape{kBatch, 4, 5, 2};
  EXPECT_FALSE(per_channel(Tensor::from_floats({5, 1}, {1, 2, 3, 4, 5}), shape, 3).has_value());
  EXPECT_FALSE(per_channel(Tensor::from_floats({1, 1, 1, 1, 2}, {1, 2}), shape, 3).has_value());
}

}  // namespace
}  // namespace chexnet_trt
