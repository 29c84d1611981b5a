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

// 16 bytes of constants at first; each sum has 4 elements.
TEST(ConstantFolding, ConstantsTogetherStayWithinTheBudget) {
  const Graph graph = graph_from_text(R"("a" = constant() value={1,2} : float32[2,1]
"b" = constant() value={1,2} : float32[1,2]
"c" = binary("a","b") kind=add : float32[2,2]
"d" = binary("a","b") kind=mul : float32[2,2]
"e" = binary("c","d") kind=add : float32[2,2]
output "e" = "e"
)");
  for (const auto& [max_bytes, expected] :
       std::vector<std::pair<std::uint64_t, int>>{{16, 0}, {31, 0}, {32, 1}, {63, 2}, {64, 3}}) {
    int rewrites = 0;
    const Graph folded = constant_folding(graph, rewrites, max_bytes);
    EXPECT_EQ(rewrites, expected) << max_bytes;
    expect_equal_values(graph, folded);
    int again = 0;
    constant_folding(folded, again, max_bytes);
    EXPECT_EQ(again, 0) << max_bytes;
  }
}

// 2^15 x 2^15 float32 are 4 GiB; the network has 256 KiB.
TEST(ConstantFolding, LeavesResultsThatFillTheMemory) {
  constexpr std::int64_t kSize = std::int64_t{1} << 15U;
  Graph graph;
  const std::vector<float> zeros(kSize);
  const NodeId a = graph.add_constant("a", Tensor::from_floats({kSize, 1}, zeros));
  const NodeId b = graph.add_constant("b", Tensor::from_floats({1, kSize}, zeros));
  graph.add_output("y", graph.add(Op::kBinary, "y", {a, b}, BinaryAttributes{BinaryKind::kAdd}));
  int rewrites = 0;
  constant_folding(graph, rewrites);
  EXPECT_EQ(rewrites, 0);
}

}  // namespace
}  // namespace chexnet_trt::passes
