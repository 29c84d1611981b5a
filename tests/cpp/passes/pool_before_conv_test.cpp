#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

constexpr std::string_view kInput =
    R"("x" = input() element=float32 shape=[?,4,6,2] layout=nhwc : float32[?,4,6,2]
"w" = constant() value={1,2,3,4,5,6} : float32[1,1,2,3]
"b" = constant() value={1,-2,3} : float32[3]
)";

constexpr std::string_view kConv =
    R"("c" = conv2d("x","w") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,4,6,3]
)";

constexpr std::string_view kOutput = R"(output "y" = "y"
)";

Graph run(const std::string& rest, int expected) {
  return run_pass(pool_before_conv, std::string(kInput) + rest + std::string(kOutput), expected);
}

TEST(PoolBeforeConv, PoolsTheInputOfAPointwiseConvolution) {
  const Graph after = run(
      std::string(kConv) +
          R"("y" = average_pool("c") layout=nhwc kernel=[2,2] strides=[2,2] pads_begin=[0,0] pads_end=[0,0] : float32[?,2,3,3]
)",
      1);
  EXPECT_EQ(after.node(after.find("y")).inputs[0], after.find("x"));
  EXPECT_EQ(after.node(after.find("c")).type.shape, (Shape{kBatch, 2, 3, 3}));
}

TEST(PoolBeforeConv, WithABiasPaddingAndASecondConvolution) {
  const Graph after = run(std::string(kConv) +
                              R"("a" = binary("b","c") kind=add : float32[?,4,6,3]
"v" = constant() value={1,2,3} : float32[1,1,3,1]
"d" = conv2d("a","v") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,4,6,1]
"y" = average_pool("d") layout=nhwc kernel=[3,3] strides=[1,2] pads_begin=[1,1] pads_end=[1,1] : float32[?,4,3,1]
)",
                          2);
  EXPECT_EQ(after.node(after.find("y")).inputs[0], after.find("x"));
}

TEST(PoolBeforeConv, LeavesWhatIsNotLinearOrNotSmaller) {
  run(std::string(kConv) +
          R"("y" = max_pool("c") layout=nhwc kernel=[2,2] strides=[2,2] pads_begin=[0,0] pads_end=[0,0] : float32[?,2,3,3]
)",
      0);
  run(std::string(kConv) +
          R"("y" = average_pool("c") layout=nhwc kernel=[2,2] strides=[1,1] pads_begin=[0,0] pads_end=[0,0] : float32[?,3,5,3]
)",
      0);
  run(R"("c" = conv2d("x","w") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[1,0] pads_end=[1,0] groups=1 : float32[?,6,6,3]
"y" = average_pool("c") layout=nhwc kernel=[2,2] strides=[2,2] pads_begin=[0,0] pads_end=[0,0] : float32[?,3,3,3]
)",
      0);
}

TEST(PoolBeforeConv, LeavesAConvolutionWithOtherReadersAndABiasByPixel) {
  run(std::string(kConv) +
          R"("y" = average_pool("c") layout=nhwc kernel=[2,2] strides=[2,2] pads_begin=[0,0] pads_end=[0,0] : float32[?,2,3,3]
output "c" = "c"
)",
      0);
  run(std::string(kConv) +
          R"("row" = constant() value={1,2,3,4,5,6} : float32[6,1]
"a" = binary("c","row") kind=add : float32[?,4,6,3]
"y" = average_pool("a") layout=nhwc kernel=[2,2] strides=[2,2] pads_begin=[0,0] pads_end=[0,0] : float32[?,2,3,3]
)",
      0);
}

}  // namespace
}  // namespace chexnet_trt::passes
