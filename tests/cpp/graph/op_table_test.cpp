#include "graph/op_table.hpp"

#include <gtest/gtest.h>

#include <set>

#include "common/error.hpp"
#include "graph/one_of_each.hpp"

namespace chexnet_trt {
namespace {

TEST(OpTable, RowsStandInTheOrderOfTheEnum) {
  for (std::size_t index = 0; index < op_table().size(); ++index) {
    EXPECT_EQ(static_cast<std::size_t>(op_table()[index].op), index);
    EXPECT_EQ(op_from_name(op_table()[index].name), op_table()[index].op);
  }
  EXPECT_EQ(op_table().back().op, Op::kDequantize);
  EXPECT_THROW(op_from_name("no_such_op"), InputError);
}

TEST(OpTable, TheExampleGraphUsesEveryOp) {
  std::set<Op> used;
  const Graph graph = one_of_each();
  for (const Node& node : graph.nodes()) used.insert(node.op);
  EXPECT_EQ(used.size(), op_table().size());
}

TEST(OpTable, ChecksArityAndAttributes) {
  const ValueType x{ElementType::kFloat32, {kBatch, 2}};
  EXPECT_THROW(infer_type(Op::kBinary, {x}, BinaryAttributes{}), InputError);
  EXPECT_THROW(infer_type(Op::kConcat, {}, AxisAttributes{}), InputError);
  EXPECT_THROW(infer_type(Op::kUnary, {x}, BinaryAttributes{}), InputError);
}

TEST(OpTable, BoundsResults) {
  const ValueType wide{ElementType::kFloat32, {1, 1 << 30}};
  const ValueType tall{ElementType::kFloat32, {1 << 30, 1}};
  EXPECT_THROW(infer_type(Op::kBinary, {wide, tall}, BinaryAttributes{}), InputError);
  const ValueType unit{ElementType::kFloat32, {1}};
  EXPECT_THROW(infer_type(Op::kReshape, {unit}, ReshapeAttributes{Shape(9, 1)}), InputError);
  const ValueType batch{ElementType::kFloat32, {kBatch, 2}};
  EXPECT_THROW(infer_type(Op::kTranspose, {batch}, TransposeAttributes{{1, 0}}), InputError);
}

TEST(OpTable, EvaluatesOnlyWithAnEvaluator) {
  const Tensor x = Tensor::from_floats({1, 2}, {1, 2});
  EXPECT_FALSE(evaluate(Op::kSoftmax, {x}, AxisAttributes{1}).has_value());
  EXPECT_TRUE(evaluate(Op::kIdentity, {x}, NoAttributes{}).has_value());
}

}  // namespace
}  // namespace chexnet_trt
