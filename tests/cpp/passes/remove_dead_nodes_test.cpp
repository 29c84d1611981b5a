#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

TEST(RemoveDeadNodes, KeepsInputsAndWhatOutputsNeed) {
  const Graph after = run_pass(
      remove_dead_nodes, R"("x" = input() element=float32 shape=[?,2] layout=plain : float32[?,2]
"unused" = input() element=float32 shape=[?,2] layout=plain : float32[?,2]
"a" = activation("x") kind=tanh alpha=0 : float32[?,2]
"b" = activation("a") kind=tanh alpha=0 : float32[?,2]
"y" = activation("x") kind=relu alpha=0 : float32[?,2]
output "y" = "y"
)",
      2);
  EXPECT_EQ(after.nodes().size(), 3U);
  EXPECT_GE(after.find("unused"), 0);
}

}  // namespace
}  // namespace chexnet_trt::passes
