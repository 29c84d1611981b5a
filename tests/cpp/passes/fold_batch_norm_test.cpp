#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

constexpr std::string_view kParameters =
    R"("w" = constant() value={1,-2,3,4,0.5,6,7,-8} : float32[1,1,2,4]
"gamma" = constant() value={1,2,-3,0.5} : float32[4]
"beta" = constant() value={0,1,2,3} : float32[4]
"mean" = constant() value={0.5,-1,2,0} : float32[4]
"variance" = constant() value={1,2,3,0.25} : float32[4]
)";

constexpr std::string_view kNhwcInput =
    R"("x" = input() element=float32 shape=[?,3,2,2] layout=nhwc : float32[?,3,2,2]
)";

std::string nhwc(const std::string& rest) {
  return std::string(kNhwcInput) + std::string(kParameters) + rest;
}

TEST(FoldBatchNorm, IntoAConvolution) {
  const Graph after = run_pass(
      fold_batch_norm,
      nhwc(
          R"("c" = conv2d("x","w") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[1,0] pads_end=[0,0] groups=1 : float32[?,4,2,4]
"y" = batch_norm("c","gamma","beta","mean","variance") layout=nhwc epsilon=0.001 : float32[?,4,2,4]
output "y" = "y"
)"),
      1);
  EXPECT_EQ(count_of(after, Op::kBatchNorm), 0);
  EXPECT_EQ(after.nodes().size(), 5U);
  EXPECT_EQ(after.node(after.find("y")).op, Op::kBinary);
}

TEST(FoldBatchNorm, ThroughABiasInNchw) {
  run_pass(fold_batch_norm,
           R"("x" = input() element=float32 shape=[?,2,3,4] layout=nchw : float32[?,2,3,4]
)" + std::string(kParameters) +
               R"("b" = constant() value={1,2,3,4} : float32[4,1,1]
"c" = conv2d("x","w") layout=nchw strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,4,3,4]
"a" = binary("b","c") kind=add : float32[?,4,3,4]
"y" = batch_norm("a","gamma","beta","mean","variance") layout=nchw epsilon=0.5 : float32[?,4,3,4]
output "y" = "y"
)",
           1);
}

TEST(FoldBatchNorm, IntoGroupsAndTransposedConvolutions) {
  run_pass(fold_batch_norm, nhwc(R"("d" = constant() value={1,2,3,4} : float32[1,1,1,4]
"c" = conv2d("x","d") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=2 : float32[?,3,2,4]
"y" = batch_norm("c","gamma","beta","mean","variance") layout=nhwc epsilon=0.1 : float32[?,3,2,4]
"t" = constant() value={1,2,3,4,5,6,7,8} : float32[1,1,4,2]
"u" = conv_transpose2d("x","t") layout=nhwc strides=[1,1] pads_begin=[0,0] pads_end=[0,0] output_size=[3,2] : float32[?,3,2,4]
"z" = batch_norm("u","gamma","beta","mean","variance") layout=nhwc epsilon=0.1 : float32[?,3,2,4]
output "y" = "y"
output "z" = "z"
)"),
           2);
}

TEST(FoldBatchNorm, NotWhenSomethingElseReadsTheConvolution) {
  run_pass(
      fold_batch_norm,
      nhwc(
          R"("c" = conv2d("x","w") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,3,2,4]
"y" = batch_norm("c","gamma","beta","mean","variance") layout=nhwc epsilon=0.001 : float32[?,3,2,4]
output "y" = "y"
output "c" = "c"
)"),
      0);
}

}  // namespace
}  // namespace chexnet_trt::passes
