#include "backends/openvino/concat_normalise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <openvino/core/except.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/parameter.hpp>
#include <vector>

#include "backends/openvino/normalise_levels.hpp"

namespace chexnet_trt::testing {
namespace {

using openvino::ConcatNormalise;

class ConcatNormaliseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ConcatNormalise::is_available()) GTEST_SKIP() << "this CPU has no AVX-512";
  }
};

ov::Output<ov::Node> parameter(ov::element::Type type, const ov::Shape& shape) {
  return std::make_shared<ov::op::v0::Parameter>(type, shape);
}

std::shared_ptr<ConcatNormalise> make_op(const std::vector<ov::Tensor>& inputs) {
  ov::OutputVector values;
  for (const ov::Tensor& input : inputs) {
    values.push_back(parameter(input.get_element_type(), input.get_shape()));
  }
  return std::make_shared<ConcatNormalise>(values);
}

ov::Tensor run(const std::vector<ov::Tensor>& inputs) {
  const auto op = make_op(inputs);
  ov::TensorVector outputs{ov::Tensor(ov::element::u8, op->get_output_shape(0))};
  EXPECT_TRUE(op->evaluate(outputs, inputs));
  return outputs[0];
}

/// Every level, again and again.
ov::Tensor image(const ov::Shape& shape, std::size_t first) {
  ov::Tensor result(ov::element::i8, shape);
  auto* levels = result.data<std::int8_t>();
  for (std::size_t i = 0; i < result.get_size(); ++i) {
    levels[i] = static_cast<std::int8_t>(static_cast<int>((i * 37 + first) % 256) - 128);
  }
  return result;
}

ov::Tensor normalisation(const std::vector<float>& scale, const std::vector<float>& shift) {
  ov::Tensor result(ov::element::f32, {2, scale.size()});
  std::copy(scale.begin(), scale.end(), result.data<float>());
  std::copy(shift.begin(), shift.end(), result.data<float>() + scale.size());
  return result;
}

/// Multiples of 1/8, so that float32 is exact.
ov::Tensor normalisation(std::size_t channels) {
  std::vector<float> scale(channels);
  std::vector<float> shift(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    scale[c] = static_cast<float>(static_cast<int>(c * 7 % 41) - 20) / 8;
    shift[c] = static_cast<float>(static_cast<int>(c * 11 % 801) - 300) / 8;
  }
  return normalisation(scale, shift);
}

std::vector<std::uint8_t> expected(const std::vector<ov::Tensor>& inputs) {
  const auto* scale = inputs.back().data<float>();
  const std::size_t channels = inputs.back().get_shape()[1];
  const ov::Shape shape = inputs[0].get_shape();
  std::vector<std::uint8_t> result;
  for (std::size_t pixel = 0; pixel < shape[0] * shape[1] * shape[2]; ++pixel) {
    std::size_t c = 0;
    for (std::size_t i = 0; i + 1 < inputs.size(); ++i) {
      const std::size_t count = inputs[i].get_shape()[3];
      for (std::size_t k = 0; k < count; ++k, ++c) {
        const double level = inputs[i].data<std::int8_t>()[pixel * count + k];
        const double value = std::floor(scale[c] * level + scale[channels + c]);
        result.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)));
      }
    }
  }
  return result;
}

void expect_matches(std::size_t batch, std::size_t height, std::size_t width,
                    const std::vector<std::size_t>& channels) {
  std::vector<ov::Tensor> inputs;
  for (const std::size_t count : channels) {
    inputs.push_back(image({batch, height, width, count}, inputs.size() * 91));
  }
  inputs.push_back(normalisation(std::accumulate(channels.begin(), channels.end(), 0UL)));
  const ov::Tensor actual = run(inputs);
  const std::vector<std::uint8_t> wanted = expected(inputs);
  ASSERT_EQ(actual.get_size(), wanted.size());
  const auto* levels = actual.data<std::uint8_t>();
  const auto different = std::mismatch(wanted.begin(), wanted.end(), levels);
  EXPECT_EQ(different.first, wanted.end())
      << "value " << different.first - wanted.begin() << " of " << channels.size() << " images";
}

TEST_F(ConcatNormaliseTest, MatchesAPlainLoopWithAnyNumberOfChannels) {
  for (std::size_t channels = 1; channels <= 70; ++channels) {
    expect_matches(1, 1, 1, {channels});
    expect_matches(2, 3, 5, {channels, 71 - channels, 1});
  }
}

TEST_F(ConcatNormaliseTest, MatchesAPlainLoopOverTilesAndThreads) {
  expect_matches(3, 70, 67, {64, 32, 32, 5});
  expect_matches(2, 8, 8, std::vector<std::size_t>(33, 32));
  expect_matches(1, 2, 3, {70000, 1});
}

TEST_F(ConcatNormaliseTest, SaturatesWithinInt32) {
  ov::Tensor one(ov::element::i8, {1, 1, 1, 7});
  std::fill_n(one.data<std::int8_t>(), 7, std::int8_t{1});
  const ov::Tensor actual = run({one, normalisation({1e9F, -1e9F, 40000, -40000, 0, 0, 1},
                                                    {1e9F, -1e9F, 0, 0, 2e9F, -2e9F, 254.5F})});
  const std::vector<std::uint8_t> wanted{255, 0, 255, 0, 255, 0, 255};
  EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), actual.data<std::uint8_t>()));
}

TEST(WithinInt32, IsToldOfScaleAndShiftTogether) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(openvino::stays_within_int32({}, 128));
  EXPECT_TRUE(openvino::stays_within_int32({1e6F, -1e6F, 9e8F, -9e8F}, 128));
  EXPECT_FALSE(openvino::stays_within_int32({1e6F, -1e6F, 9e8F, -1e9F}, 128));
  EXPECT_FALSE(openvino::stays_within_int32({1e7F, -1e6F, 0, 0}, 128));
  EXPECT_FALSE(openvino::stays_within_int32({0, 0}, 2e9)) << "the sums themselves";
  EXPECT_FALSE(openvino::stays_within_int32({1, 3e9F}, 1));
  EXPECT_FALSE(openvino::stays_within_int32({kInfinity, 0}, 1));
  EXPECT_FALSE(openvino::stays_within_int32({std::numeric_limits<float>::quiet_NaN(), 0}, 1));
}

TEST(ConcatNormaliseOp, RefusesWhatItWasNotMadeFor) {
  const auto images = parameter(ov::element::i8, {1, 2, 2, 3});
  const auto by = parameter(ov::element::f32, {2, 6});
  EXPECT_NO_THROW(ConcatNormalise({images, images, by}));
  EXPECT_THROW(ConcatNormalise({by}), ov::Exception);
  EXPECT_THROW(ConcatNormalise({images, by}), ov::Exception);
  EXPECT_THROW(ConcatNormalise({images, parameter(ov::element::u8, {1, 2, 2, 3}), by}),
               ov::Exception);
  EXPECT_THROW(ConcatNormalise({images, parameter(ov::element::i8, {1, 2, 1, 3}), by}),
               ov::Exception);
  EXPECT_THROW(ConcatNormalise({images, images, parameter(ov::element::f32, {6})}), ov::Exception);
}

}  // namespace
}  // namespace chexnet_trt::testing
