#include "backends/openvino/level_convolution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <openvino/core/except.hpp>
#include <openvino/op/parameter.hpp>
#include <random>
#include <vector>

#include "backends/openvino/level_product.hpp"

namespace chexnet_trt::testing {
namespace {

using openvino::LevelConvolution;

class LevelConvolutionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!LevelConvolution::is_available()) GTEST_SKIP() << "this CPU has no VNNI of 512 bits";
  }
};

template <typename Value, typename Make>
ov::Tensor tensor(const ov::Shape& shape, Make make) {
  ov::Tensor result(ov::element::from<Value>(), shape);
  for (std::size_t i = 0; i < result.get_size(); ++i)
    result.data<Value>()[i] = static_cast<Value>(make(i));
  return result;
}

/// One convolution, as the op and as a plain loop see it. Weights are [window, C, O].
struct Case {
  ov::Shape image;
  std::size_t columns;
  LevelConvolution::Attributes attributes;
  bool adds;

  std::size_t covered() const { return attributes.window[0] * attributes.window[1] * image[3]; }
  ov::Shape places() const {
    ov::Shape shape = image;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto pads = static_cast<std::size_t>(attributes.pads_begin[i] + attributes.pads_end[i]);
      shape[1 + i] = (image[1 + i] + pads - attributes.window[i]) / attributes.strides[i] + 1;
    }
    shape[3] = columns;
    return shape;
  }
};

ov::Tensor packed(const ov::Tensor& weights, std::size_t columns) {
  const std::size_t covered = weights.get_size() / columns;
  const std::size_t depth = (covered + 63) / 64 * 64;
  ov::Tensor result = tensor<std::int8_t>({columns, depth}, [](std::size_t) { return 0; });
  for (std::size_t i = 0; i < weights.get_size(); ++i) {
    result.data<std::int8_t>()[openvino::packed_offset(i % columns, i / columns, depth)] =
        weights.data<std::int8_t>()[i];
  }
  return result;
}

std::int64_t sum_at(const Case& c, const ov::Tensor& image, const ov::Tensor& weights,
                    const ov::Shape& place) {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < c.covered(); ++k) {
    const std::size_t tap = k / c.image[3];
    const auto at = [&](std::size_t axis, std::size_t offset) {
      return static_cast<std::ptrdiff_t>(place[1 + axis] * c.attributes.strides[axis] + offset) -
             c.attributes.pads_begin[axis];
    };
    const std::ptrdiff_t y = at(0, tap / c.attributes.window[1]);
    const std::ptrdiff_t x = at(1, tap % c.attributes.window[1]);
    if (y < 0 || x < 0 || y >= static_cast<std::ptrdiff_t>(c.image[1]) ||
        x >= static_cast<std::ptrdiff_t>(c.image[2])) {
      continue;
    }
    const std::size_t row = place[0] * c.image[1] + static_cast<std::size_t>(y);
    const std::size_t pixel = row * c.image[2] + static_cast<std::size_t>(x);
    sum += std::int64_t{image.data<std::uint8_t>()[pixel * c.image[3] + k % c.image[3]]} *
           weights.data<std::int8_t>()[k * c.columns + place[3]];
  }
  return sum;
}

void expect_matches(const Case& c) {
  std::mt19937 random(9);
  const ov::Shape places = c.places();
  const auto image = tensor<std::uint8_t>(c.image, [&](std::size_t) { return random(); });
  const auto weights =
      tensor<std::int8_t>({c.covered(), c.columns}, [&](std::size_t) { return random(); });
  // Powers of two and multiples of 1/2, so that float32 is exact and many values lie between two.
  const auto scales = tensor<float>({c.adds ? 3U : 2U, c.columns}, [&](std::size_t i) {
    const auto bits = static_cast<int>(random() % 256);
    if (i < c.columns) return std::ldexp(1.0F, -6 - bits % 6);
    return static_cast<float>(bits - 128) / 2;
  });
  const auto added = tensor<std::int8_t>(places, [&](std::size_t) { return random(); });
  ov::TensorVector inputs{image, packed(weights, c.columns), scales};
  if (c.adds) inputs.push_back(added);
  ov::OutputVector values;
  for (const ov::Tensor& input : inputs) {
    values.push_back(
        std::make_shared<ov::op::v0::Parameter>(input.get_element_type(), input.get_shape()));
  }
  const LevelConvolution op(values, c.attributes);
  ASSERT_EQ(op.get_output_shape(0), places);
  ov::TensorVector outputs{ov::Tensor(c.attributes.levels, places)};
  ASSERT_TRUE(op.evaluate(outputs, inputs));
  const bool is_signed = c.attributes.levels == ov::element::i8;
  for (std::size_t i = 0; i < outputs[0].get_size(); ++i) {
    const std::size_t o = i % c.columns;
    const std::size_t pixel = i / c.columns;
    const ov::Shape place{pixel / places[2] / places[1], pixel / places[2] % places[1],
                          pixel % places[2], o};
    const auto* by = scales.data<float>();
    double value =
        double{by[o]} * static_cast<double>(sum_at(c, image, weights, place)) + by[c.columns + o];
    if (c.adds) value += double{by[2 * c.columns + o]} * added.data<std::int8_t>()[i];
    const auto level = static_cast<int>(
        std::clamp(std::nearbyint(value), is_signed ? -128.0 : 0.0, is_signed ? 127.0 : 255.0));
    ASSERT_EQ(static_cast<const std::uint8_t*>(outputs[0].data())[i],
              static_cast<std::uint8_t>(level))
        << "value " << i;
  }
}

LevelConvolution::Attributes window(std::size_t extent, std::size_t stride, std::ptrdiff_t pad,
                                    ov::element::Type levels) {
  return {{extent, extent}, {stride, stride}, {pad, pad}, {pad, pad}, levels};
}

TEST_F(LevelConvolutionTest, MatchesAPlainLoop) {
  for (const auto levels : {ov::element::u8, ov::element::i8}) {
    for (const bool adds : {false, true}) {
      expect_matches({{2, 7, 5, 64}, 64, window(1, 1, 0, levels), adds});
      expect_matches({{1, 9, 7, 40}, 32, window(3, 1, 1, levels), adds});
      expect_matches({{1, 9, 9, 64}, 32, window(3, 2, 1, levels), adds});
      expect_matches({{2, 6, 16, 64}, 32, window(3, 1, 1, levels), adds});
      expect_matches({{1, 6, 33, 64}, 32, window(3, 2, 0, levels), adds});
    }
  }
}

TEST_F(LevelConvolutionTest, MatchesAPlainLoopWhereColumnsOutnumberPixels) {
  expect_matches({{1, 8, 8, 128}, 128, window(3, 1, 1, ov::element::u8), false});
  expect_matches({{1, 5, 5, 64}, 512, window(1, 1, 0, ov::element::i8), true});
  expect_matches({{1, 1, 1, 64}, 96, window(1, 1, 0, ov::element::u8), false});
}

TEST(LevelConvolutionOp, RefusesWhatItWasNotMadeFor) {
  const auto parameter = [](ov::element::Type type, const ov::Shape& shape) {
    return std::make_shared<ov::op::v0::Parameter>(type, shape);
  };
  const auto image = parameter(ov::element::u8, {1, 4, 4, 40});
  const auto weights = parameter(ov::element::i8, {32, 64});
  const auto scales = parameter(ov::element::f32, {2, 32});
  const auto three = parameter(ov::element::f32, {3, 32});
  const auto added = parameter(ov::element::i8, {1, 4, 4, 32});
  const auto make = [](const ov::OutputVector& inputs,
                       const LevelConvolution::Attributes& attributes = {}) {
    return LevelConvolution(inputs, attributes);
  };
  EXPECT_NO_THROW(make({image, weights, scales}));
  EXPECT_NO_THROW(make({image, weights, three, added}));
  EXPECT_NO_THROW(make({image, weights, scales, scales})) << "more are not read";
  EXPECT_THROW(make({image, weights}), ov::Exception);
  EXPECT_THROW(make({image, weights, three}), ov::Exception);
  EXPECT_THROW(make({image, weights, three, image}), ov::Exception);
  EXPECT_THROW(make({added, weights, scales}), ov::Exception) << "signed";
  EXPECT_THROW(make({image, weights, parameter(ov::element::f32, {2, 64})}), ov::Exception);
  for (const ov::Shape& wrong : {ov::Shape{16, 64}, {32, 40}, {32, 0}, {32, 8, 8}}) {
    EXPECT_THROW(make({image, parameter(ov::element::i8, wrong), scales}), ov::Exception);
  }
  EXPECT_THROW(make({image, weights, scales}, window(3, 1, 1, ov::element::u8)), ov::Exception)
      << "weights of 1x1";
  EXPECT_THROW(make({image, weights, scales}, window(1, 0, 0, ov::element::u8)), ov::Exception);
  EXPECT_THROW(make({image, weights, scales}, window(1, 1, 0, ov::element::f32)), ov::Exception);
  EXPECT_THROW(make({image, weights, scales}, window(1, 1, -1, ov::element::u8)), ov::Exception);
  LevelConvolution::Attributes one_axis;
  one_axis.strides = {1};
  EXPECT_THROW(make({image, weights, scales}, one_axis), ov::Exception);
  const auto large = parameter(ov::element::i8, {32, 1024});
  EXPECT_THROW(make({image, large, scales}, window(5, 1, 0, ov::element::u8)), ov::Exception)
      << "a window beyond the image";
}

}  // namespace
}  // namespace chexnet_trt::testing
