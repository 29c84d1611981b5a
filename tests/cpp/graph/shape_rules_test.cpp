#include "graph/shape_rules.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "common/error.hpp"
#include "graph/op_table.hpp"

namespace chexnet_trt {
namespace {

ValueType floats(Shape shape) { return {ElementType::kFloat32, std::move(shape)}; }

Shape infer(Op op, const std::vector<Shape>& shapes, const Attributes& attributes) {
  std::vector<ValueType> types;
  for (const Shape& shape : shapes) types.push_back(floats(shape));
  return infer_type(op, types, attributes).shape;
}

const Shape kImage{kBatch, 8, 10, 4};

TEST(ShapeRules, Conv2D) {
  ConvAttributes conv;
  conv.strides = {2, 3};
  conv.dilations = {2, 1};
  conv.pads_begin = {1, 0};
  conv.pads_end = {2, 1};
  EXPECT_EQ(infer(Op::kConv2D, {kImage, {3, 3, 4, 5}}, conv), (Shape{kBatch, 4, 3, 5}));
  conv.groups = 2;
  EXPECT_EQ(infer(Op::kConv2D, {kImage, {3, 3, 2, 6}}, conv), (Shape{kBatch, 4, 3, 6}));
  EXPECT_THROW(infer(Op::kConv2D, {kImage, {3, 3, 2, 5}}, conv), InputError);
  EXPECT_THROW(infer(Op::kConv2D, {kImage, {3, 3, 4, 6}}, conv), InputError);
  EXPECT_THROW(infer(Op::kConv2D, {kImage, {9, 3, 2, 6}}, conv), InputError);
  conv.layout = TensorLayout::kPlain;
  EXPECT_THROW(infer(Op::kConv2D, {kImage, {3, 3, 2, 6}}, conv), InputError);
}

TEST(ShapeRules, Conv2DInNchw) {
  ConvAttributes conv;
  conv.layout = TensorLayout::kNchw;
  EXPECT_EQ(infer(Op::kConv2D, {{kBatch, 4, 8, 10}, {3, 5, 4, 7}}, conv), (Shape{kBatch, 7, 6, 6}));
}

TEST(ShapeRules, HugeAttributesDoNotOverflow) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  ConvAttributes conv;
  conv.dilations = {kHuge, 1};
  EXPECT_THROW(infer(Op::kConv2D, {kImage, {3, 3, 4, 5}}, conv), InputError);
  conv.dilations = {1, 1};
  conv.pads_begin = conv.pads_end = {kHuge, kHuge};
  EXPECT_THROW(infer(Op::kConv2D, {kImage, {3, 3, 4, 5}}, conv), InputError);
  const PoolAttributes pool{TensorLayout::kNhwc, {kHuge, 1}, {1, 1}, {kHuge - 1, 0}, {0, 0}};
  EXPECT_THROW(infer(Op::kMaxPool, {kImage}, pool), InputError);
  EXPECT_THROW(infer(Op::kPad, {{4}}, PadAttributes{{kHuge}, {kHuge}}), InputError);
  EXPECT_THROW(infer(Op::kSlice, {{4}}, SliceAttributes{{0}, {4}, {kHuge}}), InputError);
  EXPECT_THROW(infer(Op::kLrn, {kImage}, LrnAttributes{TensorLayout::kNhwc, kHuge, 1, 1, 1}),
               InputError);
}

TEST(ShapeRules, ConvTranspose2D) {
  ConvTransposeAttributes conv;
  conv.strides = {2, 2};
  conv.output_size = {17, 21};
  EXPECT_EQ(infer(Op::kConvTranspose2D, {kImage, {3, 3, 5, 4}}, conv), (Shape{kBatch, 17, 21, 5}));
  conv.output_size = {20, 21};
  EXPECT_THROW(infer(Op::kConvTranspose2D, {kImage, {3, 3, 5, 4}}, conv), InputError);
  conv.output_size = {std::numeric_limits<std::int64_t>::max(), 21};
  conv.pads_end = {2, 0};
  EXPECT_THROW(infer(Op::kConvTranspose2D, {kImage, {3, 3, 5, 4}}, conv), InputError);
}

TEST(ShapeRules, Pool) {
  PoolAttributes pool{TensorLayout::kNhwc, {3, 2}, {2, 2}, {1, 0}, {1, 0}};
  EXPECT_EQ(infer(Op::kMaxPool, {kImage}, pool), (Shape{kBatch, 4, 5, 4}));
  pool.pads_begin = {3, 0};
  EXPECT_THROW(infer(Op::kMaxPool, {kImage}, pool), InputError);
  pool.pads_begin = {0, 0};
  pool.strides = {0, 1};
  EXPECT_THROW(infer(Op::kMaxPool, {kImage}, pool), InputError);
}

TEST(ShapeRules, MatMul) {
  EXPECT_EQ(infer(Op::kMatMul, {{kBatch, 3}, {3, 5}}, MatMulAttributes{}), (Shape{kBatch, 5}));
  EXPECT_EQ(infer(Op::kMatMul, {{3, 2}, {5, 3}}, MatMulAttributes{true, true}), (Shape{2, 5}));
  EXPECT_THROW(infer(Op::kMatMul, {{kBatch, 3}, {5, 3}}, MatMulAttributes{}), InputError);
  EXPECT_THROW(infer(Op::kMatMul, {kImage, {4, 3}}, MatMulAttributes{}), InputError);
}

TEST(ShapeRules, Binary) {
  const BinaryAttributes add;
  EXPECT_EQ(infer(Op::kBinary, {kImage, {4}}, add), kImage);
  EXPECT_EQ(infer(Op::kBinary, {{10, 1}, kImage}, add), kImage);
  EXPECT_EQ(infer(Op::kBinary, {{}, {2}}, add), Shape{2});
  EXPECT_THROW(infer(Op::kBinary, {kImage, {5}}, add), InputError);
  EXPECT_THROW(infer(Op::kBinary, {{kBatch, 4}, {3, 4}}, add), InputError);
  const std::vector<ValueType> mixed{floats({2}), {ElementType::kInt32, {2}}};
  EXPECT_THROW(infer_type(Op::kBinary, mixed, add), InputError);
}

TEST(ShapeRules, FloatingPointOps) {
  const std::vector<ValueType> ints{{ElementType::kInt32, {kBatch, 4}}};
  EXPECT_THROW(infer_type(Op::kUnary, ints, UnaryAttributes{}), InputError);
  EXPECT_THROW(infer_type(Op::kActivation, ints, ActivationAttributes{}), InputError);
  EXPECT_THROW(infer_type(Op::kSoftmax, ints, AxisAttributes{1}), InputError);
}

TEST(ShapeRules, BatchNormAndLrn) {
  const BatchNormAttributes norm{TensorLayout::kNhwc, 0.1};
  EXPECT_EQ(infer(Op::kBatchNorm, {kImage, {4}, {4}, {4}, {4}}, norm), kImage);
  EXPECT_THROW(infer(Op::kBatchNorm, {kImage, {4}, {4}, {8}, {4}}, norm), InputError);
  EXPECT_THROW(infer(Op::kLrn, {{kBatch, 4}}, LrnAttributes{}), InputError);
}

TEST(ShapeRules, Reductions) {
  const auto reduce = [](Axes axes, bool keep) {
    return infer(Op::kReduce, {kImage}, ReduceAttributes{ReduceKind::kMean, std::move(axes), keep});
  };
  EXPECT_EQ(reduce({1, 2}, false), (Shape{kBatch, 4}));
  EXPECT_EQ(reduce({1, 2}, true), (Shape{kBatch, 1, 1, 4}));
  EXPECT_EQ(reduce({}, false), kImage);
  EXPECT_THROW(reduce({0}, false), InputError);
  EXPECT_THROW(reduce({4}, false), InputError);
  EXPECT_THROW(reduce({2, 1}, false), InputError);
  EXPECT_EQ(infer_type(Op::kArgMax, {floats(kImage)}, AxisAttributes{3}),
            (ValueType{ElementType::kInt64, {kBatch, 8, 10}}));
  EXPECT_THROW(infer(Op::kArgMax, {kImage}, AxisAttributes{0}), InputError);
}

TEST(ShapeRules, NothingMixesTheItemsOfABatch) {
  EXPECT_THROW(infer(Op::kSoftmax, {kImage}, AxisAttributes{0}), InputError);
  EXPECT_EQ(infer(Op::kSoftmax, {kImage}, AxisAttributes{3}), kImage);
  const Shape rows{kBatch, 4};
  EXPECT_THROW(infer(Op::kMatMul, {rows, rows}, MatMulAttributes{true, false}), InputError);
  EXPECT_THROW(infer(Op::kMatMul, {rows, rows}, MatMulAttributes{false, true}), InputError);
}

TEST(ShapeRules, Reshape) {
  EXPECT_EQ(infer(Op::kReshape, {kImage}, ReshapeAttributes{{kBatch, 320}}), (Shape{kBatch, 320}));
  EXPECT_THROW(infer(Op::kReshape, {kImage}, ReshapeAttributes{{320}}), InputError);
  EXPECT_THROW(infer(Op::kReshape, {kImage}, ReshapeAttributes{{kBatch, 321}}), InputError);
  EXPECT_THROW(infer(Op::kReshape, {kImage}, ReshapeAttributes{{kBatch, kBatch, 320}}), InputError);
}

TEST(ShapeRules, MovesOfElements) {
  EXPECT_EQ(infer(Op::kTranspose, {kImage}, TransposeAttributes{{0, 3, 1, 2}}),
            (Shape{kBatch, 4, 8, 10}));
  EXPECT_THROW(infer(Op::kTranspose, {kImage}, TransposeAttributes{{0, 1, 1, 2}}), InputError);
  EXPECT_EQ(infer(Op::kConcat, {kImage, kImage}, AxisAttributes{3}), (Shape{kBatch, 8, 10, 8}));
  EXPECT_THROW(infer(Op::kConcat, {kImage, kImage}, AxisAttributes{0}), InputError);
  EXPECT_THROW(infer(Op::kConcat, {kImage, {kBatch, 8, 9, 4}}, AxisAttributes{3}), InputError);
  EXPECT_EQ(infer(Op::kPad, {{kBatch, 2}}, PadAttributes{{0, 1}, {0, 2}}), (Shape{kBatch, 5}));
  EXPECT_THROW(infer(Op::kPad, {{kBatch, 2}}, PadAttributes{{1, 0}, {0, 0}}), InputError);
  EXPECT_THROW(infer(Op::kPad, {{kBatch, 2}}, PadAttributes{{0, -1}, {0, 0}}), InputError);
}

TEST(ShapeRules, Slice) {
  const auto slice = [](std::int64_t begin, std::int64_t end, std::int64_t stride) {
    return infer(Op::kSlice, {{kBatch, 7}},
                 SliceAttributes{{0, begin}, {kBatch, end}, {1, stride}});
  };
  EXPECT_EQ(slice(1, 7, 2), (Shape{kBatch, 3}));
  EXPECT_EQ(slice(6, -1, -3), (Shape{kBatch, 3}));
  EXPECT_THROW(slice(3, 3, 1), InputError);
  EXPECT_THROW(slice(0, 8, 1), InputError);
  EXPECT_THROW(slice(0, 7, 0), InputError);
  EXPECT_THROW(infer(Op::kSlice, {{kBatch, 7}}, SliceAttributes{{1, 0}, {kBatch, 7}, {1, 1}}),
               InputError);
}

TEST(ShapeRules, GatherAndCast) {
  const ValueType picks{ElementType::kInt32, {2, 3}};
  EXPECT_EQ(infer_type(Op::kGather, {floats({kBatch, 5, 6}), picks}, AxisAttributes{1}).shape,
            (Shape{kBatch, 2, 3, 6}));
  EXPECT_THROW(infer_type(Op::kGather, {floats({kBatch, 5}), picks}, AxisAttributes{0}),
               InputError);
  EXPECT_THROW(infer(Op::kGather, {{kBatch, 5}, {2}}, AxisAttributes{1}), InputError);
  EXPECT_EQ(infer_type(Op::kCast, {floats({2})}, CastAttributes{ElementType::kInt8}).element,
            ElementType::kInt8);
}

TEST(ShapeRules, Input) {
  const auto input = [](Shape shape, TensorLayout layout) {
    return infer(Op::kInput, {}, InputAttributes{ElementType::kFloat32, std::move(shape), layout});
  };
  EXPECT_EQ(input(kImage, TensorLayout::kNhwc), kImage);
  EXPECT_THROW(input({4, kBatch}, TensorLayout::kPlain), InputError);
  EXPECT_THROW(input({kBatch, 0}, TensorLayout::kPlain), InputError);
  EXPECT_THROW(input({kBatch, 4}, TensorLayout::kNhwc), InputError);
}

TEST(ShapeRules, QuantizeAndDequantize) {
  const ValueType image = floats(kImage);
  const QuantizeAttributes to_int8{ElementType::kInt8};
  EXPECT_EQ(infer_type(Op::kQuantize, {image, floats({})}, to_int8),
            (ValueType{ElementType::kInt8, kImage}));
  EXPECT_THROW(infer_type(Op::kQuantize, {image, floats({4})}, to_int8), InputError);
  EXPECT_THROW(
      infer_type(Op::kQuantize, {image, floats({})}, QuantizeAttributes{ElementType::kInt32}),
      InputError);
  const ValueType bytes{ElementType::kUInt8, kImage};
  EXPECT_THROW(infer_type(Op::kQuantize, {bytes, floats({})}, to_int8), InputError);
  EXPECT_EQ(infer_type(Op::kDequantize, {bytes, floats({})}, AxisAttributes{9}), image);
  EXPECT_EQ(infer_type(Op::kDequantize, {bytes, floats({4})}, AxisAttributes{3}), image);
  EXPECT_THROW(infer_type(Op::kDequantize, {bytes, floats({4})}, AxisAttributes{2}), InputError);
  EXPECT_THROW(infer_type(Op::kDequantize, {bytes, floats({4})}, AxisAttributes{4}), InputError);
  EXPECT_THROW(infer_type(Op::kDequantize, {bytes, floats({1})}, AxisAttributes{0}), InputError);
  EXPECT_THROW(infer_type(Op::kDequantize, {image, floats({})}, AxisAttributes{0}), InputError);
}

}  // namespace
}  // namespace chexnet_trt
