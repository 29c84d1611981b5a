#include "backends/openvino/normalised_convolution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <openvino/core/except.hpp>
#include <openvino/op/parameter.hpp>
#include <random>
#include <vector>

#include "backends/openvino/concat_normalise.hpp"
#include "backends/openvino/level_product.hpp"

namespace chexnet_trt::testing {
namespace {

using openvino::ConcatNormalise;
using openvino::NormalisedConvolution;

class NormalisedConvolutionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NormalisedConvolution::is_available()) GTEST_SKIP() << "this CPU has no VNNI of 512 bits";
  }
};

template <typename Op>
std::shared_ptr<Op> make_op(const ov::TensorVector& inputs) {
  ov::OutputVector values;
  for (const ov::Tensor& input : inputs) {
    values.push_back(
        std::make_shared<ov::op::v0::Parameter>(input.get_element_type(), input.get_shape()));
  }
  return std::make_shared<Op>(values);
}

template <typename Op>
std::vector<std::uint8_t> run(const ov::TensorVector& inputs) {
  const auto op = make_op<Op>(inputs);
  ov::TensorVector outputs{ov::Tensor(ov::element::u8, op->get_output_shape(0))};
  EXPECT_TRUE(op->evaluate(outputs, inputs));
  const auto* levels = outputs[0].data<std::uint8_t>();
  return {levels, levels + outputs[0].get_size()};
}

class Random {
 public:
  ov::Tensor image(const ov::Shape& shape) {
    ov::Tensor result(ov::element::i8, shape);
    std::generate_n(result.data<std::int8_t>(), result.get_size(),
                    [&] { return static_cast<std::int8_t>(bits_()); });
    return result;
  }
  /// Multiples of 1/8 below 2, so that float32 is exact.
  ov::Tensor normalisation(std::size_t channels) {
    ov::Tensor result(ov::element::f32, {2, channels});
    std::generate_n(result.data<float>(), result.get_size(),
                    [&] { return (static_cast<float>(bits_() % 32) - 16) / 8; });
    return result;
  }
  /// Powers of two and multiples of 1/2, so that float32 is exact and many values lie between two.
  ov::Tensor scales(std::size_t columns) {
    ov::Tensor result(ov::element::f32, {2, columns});
    for (std::size_t o = 0; o < columns; ++o) {
      result.data<float>()[o] = std::ldexp(1.0F, -static_cast<int>(bits_() % 12));
      result.data<float>()[columns + o] = (static_cast<float>(bits_() % 512) - 128) / 2;
    }
    return result;
  }

 private:
  std::mt19937 bits_{7};
};

/// weights [columns, channels], packed.
ov::Tensor packed(const ov::Tensor& weights) {
  const std::size_t columns = weights.get_shape()[0];
  const std::size_t channels = weights.get_shape()[1];
  const std::size_t depth = (channels + 63) / 64 * 64;
  ov::Tensor result(ov::element::i8, {columns, depth});
  std::fill_n(result.data<std::int8_t>(), result.get_size(), std::int8_t{0});
  for (std::size_t o = 0; o < columns; ++o) {
    for (std::size_t c = 0; c < channels; ++c) {
      result.data<std::int8_t>()[openvino::packed_offset(o, c, depth)] =
          weights.data<std::int8_t>()[o * channels + c];
    }
  }
  return result;
}

std::uint8_t expected(const std::uint8_t* levels, const std::int8_t* weights, std::size_t channels,
                      double scale, double shift) {
  std::int64_t sum = 0;
  for (std::size_t c = 0; c < channels; ++c) sum += std::int64_t{levels[c]} * weights[c];
  const double value = std::nearbyint(scale * static_cast<double>(sum) + shift);
  return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
}

void expect_matches(const ov::Shape& place, const std::vector<std::size_t>& channels,
                    std::size_t columns) {
  Random random;
  ov::TensorVector inputs;
  std::size_t all = 0;
  for (const std::size_t count : channels) {
    inputs.push_back(random.image({place[0], place[1], place[2], count}));
    all += count;
  }
  inputs.push_back(random.normalisation(all));
  const std::vector<std::uint8_t> normalised = run<ConcatNormalise>(inputs);
  const ov::Tensor weights = random.image({columns, all});
  const ov::Tensor scales = random.scales(columns);
  inputs.push_back(packed(weights));
  inputs.push_back(scales);
  const std::vector<std::uint8_t> actual = run<NormalisedConvolution>(inputs);
  ASSERT_EQ(actual.size(), ov::shape_size(place) * columns);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const std::size_t o = i % columns;
    const auto* scale = scales.data<float>();
    ASSERT_EQ(actual[i],
              expected(normalised.data() + i / columns * all, weights.data<std::int8_t>() + o * all,
                       all, scale[o], scale[columns + o]))
        << "value " << i << " of " << all << " channels";
  }
}

TEST_F(NormalisedConvolutionTest, MatchesAPlainLoopWithAnyNumberOfChannels) {
  for (const std::size_t channels : {1UL, 16UL, 31UL, 63UL, 64UL, 65UL, 100UL}) {
    expect_matches({1, 3, 5}, {channels}, 32);
    expect_matches({2, 7, 7}, {channels, 32, 5}, 64);
  }
}

TEST_F(NormalisedConvolutionTest, MatchesAPlainLoopWithAnyNumberOfPixels) {
  for (const std::size_t pixels : {1UL, 2UL, 31UL, 32UL, 33UL, 63UL, 64UL, 65UL}) {
    expect_matches({1, 1, pixels}, {64, 32}, 32);
  }
  expect_matches({3, 20, 21}, {64, 32, 32, 5}, 128);
}

TEST_F(NormalisedConvolutionTest, MatchesAPlainLoopOverManyImages) {
  expect_matches({1, 8, 8}, std::vector<std::size_t>(33, 32), 128);
}

TEST(NormalisedConvolutionOp, RefusesWhatItWasNotMadeFor) {
  const auto parameter = [](ov::element::Type type, const ov::Shape& shape) {
    return std::make_shared<ov::op::v0::Parameter>(type, shape);
  };
  const auto image = parameter(ov::element::i8, {1, 2, 2, 40});
  const auto by = parameter(ov::element::f32, {2, 40});
  const auto weights = parameter(ov::element::i8, {32, 64});
  const auto scale = parameter(ov::element::f32, {2, 32});
  EXPECT_NO_THROW(NormalisedConvolution({image, by, weights, scale}));
  EXPECT_THROW(NormalisedConvolution({by, weights, scale}), ov::Exception);
  EXPECT_THROW(NormalisedConvolution({image, image, by, weights, scale}), ov::Exception);
  for (const ov::Shape& wrong : {ov::Shape{16, 64}, {32, 40}, {32, 0}, {32, 8, 8}}) {
    const auto other = parameter(ov::element::i8, wrong);
    EXPECT_THROW(NormalisedConvolution({image, by, other, scale}), ov::Exception);
  }
  const auto unsigned_weights = parameter(ov::element::u8, {32, 64});
  EXPECT_THROW(NormalisedConvolution({image, by, unsigned_weights, scale}), ov::Exception);
  EXPECT_THROW(NormalisedConvolution({image, by, weights, parameter(ov::element::f32, {2, 64})}),
               ov::Exception);
}

}  // namespace
}  // namespace chexnet_trt::testing
