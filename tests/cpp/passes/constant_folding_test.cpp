#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

TEST(ConstantFolding, ComputesChainsOfConstants) {
  const Graph after = run_pass(
      constant_folding, R"("x" = input() element=float32 shape=[?,2] layout=plain : float32[?,2]
"a" = constant() value={1,2} : float32[2]
"b" = unary("a") kind=square : float32[2]
"c" = binary("a","b") kind=add : float32[2]
"y" = binary("x","c") kind=mul : float32[?,2]
output "y" = "y"
)",
      2);
  EXPECT_EQ(after.nodes().size(), 3U);
  EXPECT_EQ(after.constant(after.find("c"))->to_doubles(), (std::vector<double>{2, 6}));
}

TEST(ConstantFolding, LeavesOpsWithoutEvaluator) {
  run_pass(constant_folding, R"("a" = constant() value={1,2} : float32[1,2]
"y" = softmax("a") axis=1 : float32[1,2]
output "y" = "y"
)",
           0);
}

}  // namespace
}  // namespace chexnet_trt::passes
