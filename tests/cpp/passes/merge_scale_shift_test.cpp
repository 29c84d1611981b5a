#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

constexpr std::string_view kHead =
    R"("x" = input() element=float32 shape=[?,3,2,2] layout=nhwc : float32[?,3,2,2]
"c" = constant() value={2,-3} : float32[2]
"d" = constant() value={0.5} : float32[1]
"w" = constant() value={1,2,3,4} : float32[1,1,2,2]
"k" = conv2d("x","w") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,3,2,2]
)";

/// Applies the pass until nothing changes and compares the number of binary nodes.
Graph settle(const std::string& rest, int binaries) {
  const Graph source = graph_from_text(std::string(kHead) + rest);
  Graph result = source;
  for (int rewrites = 1; rewrites != 0;) {
    rewrites = 0;
    result = merge_scale_shift(result, rewrites);
    result.verify();
  }
  expect_equal_values(source, result);
  EXPECT_EQ(count_of(result, Op::kBinary), binaries);
  return result;
}

TEST(MergeScaleShift, SubtractionsAndDivisionsBecomeSumsAndProducts) {
  const Graph after = settle(R"("s" = binary("x","c") kind=sub : float32[?,3,2,2]
"y" = binary("s","c") kind=div : float32[?,3,2,2]
output "y" = "y"
)",
                             2);
  EXPECT_EQ(std::get<BinaryAttributes>(after.node(after.find("y")).attributes).kind,
            BinaryKind::kMul);
}

TEST(MergeScaleShift, DivisionByZeroStays) {
  const Graph after = settle(R"("z" = constant() value={0} : float32[]
"a" = activation("x") kind=sigmoid alpha=0 : float32[?,3,2,2]
"n" = constant() value={-7} : float32[]
"y" = binary("a","n") kind=max : float32[?,3,2,2]
"q" = binary("y","z") kind=div : float32[?,3,2,2]
"r" = activation("q") kind=tanh alpha=0 : float32[?,3,2,2]
output "r" = "r"
)",
                             2);
  EXPECT_EQ(std::get<BinaryAttributes>(after.node(after.find("q")).attributes).kind,
            BinaryKind::kDiv);
}

TEST(MergeScaleShift, ChainsMerge) {
  settle(R"("a" = binary("x","c") kind=mul : float32[?,3,2,2]
"b" = binary("d","a") kind=mul : float32[?,3,2,2]
"e" = binary("b","c") kind=add : float32[?,3,2,2]
"f" = binary("e","d") kind=mul : float32[?,3,2,2]
"y" = binary("f","d") kind=add : float32[?,3,2,2]
output "y" = "y"
)",
         2);
}

TEST(MergeScaleShift, FactorsGoIntoWeights) {
  settle(R"("a" = binary("k","c") kind=mul : float32[?,3,2,2]
"y" = activation("a") kind=relu alpha=0 : float32[?,3,2,2]
output "y" = "y"
)",
         0);
  settle(R"("a" = binary("k","c") kind=add : float32[?,3,2,2]
"b" = binary("a","d") kind=mul : float32[?,3,2,2]
"y" = binary("b","c") kind=add : float32[?,3,2,2]
output "y" = "y"
)",
         1);
}

TEST(MergeScaleShift, MatmulsTakeFactorsOnEitherSideOfTheirWeights) {
  settle(R"("v" = constant() value={1,2,3,4,5,6} : float32[3,2]
"u" = constant() value={1,2,3,4,5,6} : float32[2,3]
"m" = reduce("x") kind=mean axes=[1,2] keep_dims=false : float32[?,2]
"p" = matmul("m","v") transpose_a=false transpose_b=true : float32[?,3]
"f" = constant() value={1,10,100} : float32[3]
"q" = binary("p","f") kind=mul : float32[?,3]
"r" = matmul("m","u") transpose_a=false transpose_b=false : float32[?,3]
"s" = binary("r","f") kind=mul : float32[?,3]
output "q" = "q"
output "s" = "s"
)",
         0);
}

TEST(MergeScaleShift, NotAcrossValuesThatOthersRead) {
  settle(R"("a" = binary("k","c") kind=mul : float32[?,3,2,2]
"b" = binary("a","c") kind=mul : float32[?,3,2,2]
output "a" = "a"
output "b" = "b"
output "k" = "k"
)",
         2);
}

TEST(MergeScaleShift, NotAlongOtherAxesThanTheChannel) {
  settle(R"("rows" = constant() value={1,2,3} : float32[3,1,1]
"a" = binary("k","rows") kind=mul : float32[?,3,2,2]
"b" = binary("a","c") kind=mul : float32[?,3,2,2]
output "b" = "b"
)",
         2);
}

}  // namespace
}  // namespace chexnet_trt::passes
