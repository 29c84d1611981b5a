#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

TEST(RemoveIdentities, DropsEveryNodeThatChangesNothing) {
  const Graph after =
      run_pass(remove_identities,
               R"("x" = input() element=float32 shape=[?,2,3] layout=plain : float32[?,2,3]
"a" = identity("x") : float32[?,2,3]
"b" = cast("a") to=float32 : float32[?,2,3]
"c" = reshape("b") shape=[?,2,3] : float32[?,2,3]
"d" = transpose("c") permutation=[0,1,2] : float32[?,2,3]
"e" = pad("d") pads_begin=[0,0,0] pads_end=[0,0,0] : float32[?,2,3]
"f" = slice("e") begin=[0,0,0] end=[-1,2,3] strides=[1,1,1] : float32[?,2,3]
"g" = concat("f") axis=1 : float32[?,2,3]
"h" = reduce("g") kind=sum axes=[] keep_dims=false : float32[?,2,3]
"y" = activation("h") kind=relu alpha=0 : float32[?,2,3]
output "y" = "y"
)",
               8);
  EXPECT_EQ(after.nodes().size(), 2U);
}

TEST(RemoveIdentities, TransposesAndReshapesMerge) {
  const Graph after =
      run_pass(remove_identities,
               R"("x" = input() element=float32 shape=[?,2,3,4] layout=plain : float32[?,2,3,4]
"a" = transpose("x") permutation=[0,3,1,2] : float32[?,4,2,3]
"b" = transpose("a") permutation=[0,2,3,1] : float32[?,2,3,4]
"c" = transpose("a") permutation=[0,1,3,2] : float32[?,4,3,2]
"d" = reshape("b") shape=[?,24] : float32[?,24]
"e" = reshape("d") shape=[?,6,4] : float32[?,6,4]
output "b" = "b"
output "c" = "c"
output "e" = "e"
)",
               3);
  EXPECT_EQ(count_of(after, Op::kTranspose), 1);
  EXPECT_EQ(count_of(after, Op::kReshape), 1);
  EXPECT_EQ(after.outputs()[0].value, after.find("x"));
}

TEST(RemoveIdentities, KeepsAReversalOfEqualShape) {
  run_pass(remove_identities,
           R"("x" = input() element=float32 shape=[?,3] layout=plain : float32[?,3]
"y" = slice("x") begin=[0,2] end=[-1,-1] strides=[1,-1] : float32[?,3]
output "y" = "y"
)",
           0);
}

}  // namespace
}  // namespace chexnet_trt::passes
