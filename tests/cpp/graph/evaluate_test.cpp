#include "graph/evaluate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "common/error.hpp"
#include "graph/op_table.hpp"

namespace chexnet_trt {
namespace {

using Doubles = std::vector<double>;

Tensor floats(Shape shape, const std::vector<float>& values) {
  return Tensor::from_floats(std::move(shape), values);
}
Tensor ints(Shape shape, const std::vector<std::int64_t>& values) {
  return Tensor::from_ints(ElementType::kInt64, std::move(shape), values);
}
Doubles run(Op op, const std::vector<Tensor>& inputs, const Attributes& attributes) {
  return evaluate(op, inputs, attributes)->to_doubles();
}

TEST(Evaluate, BinaryBroadcasts) {
  const Tensor a = floats({2, 1}, {1, 2});
  const Tensor b = floats({3}, {10, 20, 30});
  EXPECT_EQ(run(Op::kBinary, {a, b}, BinaryAttributes{BinaryKind::kSub}),
            (Doubles{-9, -19, -29, -8, -18, -28}));
  EXPECT_EQ(run(Op::kBinary, {b, a}, BinaryAttributes{BinaryKind::kPow}),
            (Doubles{10, 20, 30, 100, 400, 900}));
}

TEST(Evaluate, IntegerArithmeticIsExactAndWraps) {
  const Tensor big = ints({1}, {std::numeric_limits<std::int64_t>::max()});
  const Tensor two = ints({1}, {2});
  const auto run_int = [](BinaryKind kind, const Tensor& a, const Tensor& b) {
    return evaluate(Op::kBinary, {a, b}, BinaryAttributes{kind})->to_ints().at(0);
  };
  EXPECT_EQ(run_int(BinaryKind::kMul, big, two), -2);
  EXPECT_EQ(run_int(BinaryKind::kDiv, ints({1}, {-7}), two), -3);
  EXPECT_EQ(run_int(BinaryKind::kPow, ints({1}, {-3}), ints({1}, {5})), -243);
  EXPECT_THROW(run_int(BinaryKind::kDiv, two, ints({1}, {0})), InputError);
  EXPECT_THROW(run_int(BinaryKind::kPow, two, ints({1}, {-1})), InputError);
}

TEST(Evaluate, UnaryAndActivation) {
  const Tensor x = floats({3}, {-1, 0.25F, 8});
  EXPECT_EQ(run(Op::kUnary, {x}, UnaryAttributes{UnaryKind::kFloor}), (Doubles{-1, 0, 8}));
  EXPECT_EQ(run(Op::kUnary, {floats({1}, {0.25F})}, UnaryAttributes{UnaryKind::kRsqrt}),
            Doubles{2});
  EXPECT_EQ(run(Op::kActivation, {x}, ActivationAttributes{ActivationKind::kRelu6, 0}),
            (Doubles{0, 0.25, 6}));
  EXPECT_EQ(run(Op::kActivation, {x}, ActivationAttributes{ActivationKind::kLeakyRelu, 0.5}),
            (Doubles{-0.5, 0.25, 8}));
  const double elu = run(Op::kActivation, {x}, ActivationAttributes{ActivationKind::kElu, 0})[0];
  EXPECT_NEAR(elu, std::exp(-1.0) - 1, 1e-7);
}

TEST(Evaluate, Reduce) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto reduce = [&](ReduceKind kind, Axes axes) {
    return run(Op::kReduce, {x}, ReduceAttributes{kind, std::move(axes), false});
  };
  EXPECT_EQ(reduce(ReduceKind::kSum, {1}), (Doubles{6, 15}));
  EXPECT_EQ(reduce(ReduceKind::kMean, {0}), (Doubles{2.5, 3.5, 4.5}));
  EXPECT_EQ(reduce(ReduceKind::kProd, {0, 1}), Doubles{720});
  EXPECT_EQ(reduce(ReduceKind::kMax, {1}), (Doubles{3, 6}));
  EXPECT_EQ(reduce(ReduceKind::kMin, {0}), (Doubles{1, 2, 3}));
}

TEST(Evaluate, MovesOfElements) {
  const Tensor x = ints({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(run(Op::kTranspose, {x}, TransposeAttributes{{1, 0}}), (Doubles{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(run(Op::kReshape, {x}, ReshapeAttributes{{3, 2}}), (Doubles{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(run(Op::kConcat, {x, ints({2, 1}, {7, 8})}, AxisAttributes{1}),
            (Doubles{1, 2, 3, 7, 4, 5, 6, 8}));
  EXPECT_EQ(run(Op::kPad, {x}, PadAttributes{{0, 1}, {1, 0}}),
            (Doubles{0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0}));
  EXPECT_EQ(run(Op::kSlice, {x}, SliceAttributes{{1, 2}, {2, -1}, {1, -2}}), (Doubles{6, 4}));
  EXPECT_EQ(run(Op::kGather, {x, ints({2}, {2, 0})}, AxisAttributes{1}), (Doubles{3, 1, 6, 4}));
  EXPECT_EQ(run(Op::kGather, {x, ints({}, {1})}, AxisAttributes{0}), (Doubles{4, 5, 6}));
  EXPECT_THROW(run(Op::kGather, {x, ints({1}, {3})}, AxisAttributes{1}), InputError);
}

TEST(Evaluate, CastTruncatesAndKeepsLargeIntegers) {
  EXPECT_EQ(run(Op::kCast, {floats({2}, {-1.7F, 300})}, CastAttributes{ElementType::kInt8}),
            (Doubles{-1, 127}));
  const std::int64_t odd = (std::int64_t{1} << 60) + 1;
  EXPECT_EQ(evaluate(Op::kCast, {ints({1}, {odd})}, CastAttributes{ElementType::kInt64})->to_ints(),
            std::vector<std::int64_t>{odd});
}

}  // namespace
}  // namespace chexnet_trt
