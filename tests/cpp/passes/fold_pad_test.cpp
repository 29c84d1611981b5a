#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

constexpr std::string_view kInput =
    R"("x" = input() element=float32 shape=[?,3,3,1] layout=nhwc : float32[?,3,3,1]
"relu" = activation("x") kind=relu alpha=0 : float32[?,3,3,1]
)";

Graph run(const std::string& rest, int expected) {
  return run_pass(fold_pad, std::string(kInput) + rest, expected);
}

TEST(FoldPad, IntoAConvolutionThatHasPadsOfItsOwn) {
  const Graph after =
      run(R"("p" = pad("x") pads_begin=[0,1,2,0] pads_end=[0,0,1,0] : float32[?,4,6,1]
"w" = constant() value={1,2,3,4} : float32[2,2,1,1]
"y" = conv2d("p","w") layout=nhwc strides=[1,2] dilations=[1,1] pads_begin=[1,0] pads_end=[0,0] groups=1 : float32[?,4,3,1]
output "y" = "y"
)",
          1);
  const auto& conv = std::get<ConvAttributes>(after.node(after.find("y")).attributes);
  EXPECT_EQ(conv.pads_begin, (Spatial{2, 2}));
  EXPECT_EQ(conv.pads_end, (Spatial{0, 1}));
  EXPECT_EQ(count_of(after, Op::kPad), 0);
}

TEST(FoldPad, IntoAMaxPoolOfValuesThatAreNeverNegative) {
  const std::string rest = R"( : float32[?,5,5,1]
"y" = max_pool("p") layout=nhwc kernel=[3,3] strides=[2,2] pads_begin=[0,0] pads_end=[0,0] : float32[?,2,2,1]
output "y" = "y"
)";
  run(R"("p" = pad("relu") pads_begin=[0,1,1,0] pads_end=[0,1,1,0])" + rest, 1);
  run(R"("p" = pad("x") pads_begin=[0,1,1,0] pads_end=[0,1,1,0])" + rest, 0);
}

TEST(FoldPad, NeverIntoAnAveragePoolNorWithPaddedChannels) {
  run(R"("p" = pad("relu") pads_begin=[0,1,1,0] pads_end=[0,1,1,0] : float32[?,5,5,1]
"y" = average_pool("p") layout=nhwc kernel=[3,3] strides=[2,2] pads_begin=[0,0] pads_end=[0,0] : float32[?,2,2,1]
"q" = pad("relu") pads_begin=[0,1,1,1] pads_end=[0,1,1,0] : float32[?,5,5,2]
"z" = max_pool("q") layout=nhwc kernel=[3,3] strides=[2,2] pads_begin=[0,0] pads_end=[0,0] : float32[?,2,2,2]
output "y" = "y"
output "z" = "z"
)",
      0);
}

TEST(FoldPad, PadsBeyondTheKernelOfAPoolStay) {
  run(R"("p" = pad("relu") pads_begin=[0,2,2,0] pads_end=[0,2,2,0] : float32[?,7,7,1]
"y" = max_pool("p") layout=nhwc kernel=[2,2] strides=[1,1] pads_begin=[0,0] pads_end=[0,0] : float32[?,6,6,1]
output "y" = "y"
)",
      0);
}

}  // namespace
}  // namespace chexnet_trt::passes
