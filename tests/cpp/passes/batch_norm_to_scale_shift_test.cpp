#include "passes/pass_testing.hpp"

namespace chexnet_trt::passes {
namespace {

std::string network(const std::string& shape, const std::string& layout) {
  return R"("x" = input() element=float32 shape=)" + shape + " layout=" + layout + " : float32" +
         shape + R"(
"gamma" = constant() value={2,-1} : float32[2]
"beta" = constant() value={0.5,1} : float32[2]
"mean" = constant() value={1,3} : float32[2]
"variance" = constant() value={0.5,4} : float32[2]
"y" = batch_norm("x","gamma","beta","mean","variance") layout=)" +
         layout + " epsilon=0.25 : float32" + shape + "\noutput \"y\" = \"y\"\n";
}

TEST(BatchNormToScaleShift, BothLayouts) {
  const Graph nhwc = run_pass(batch_norm_to_scale_shift, network("[?,2,3,2]", "nhwc"), 1);
  EXPECT_EQ(nhwc.node(nhwc.find("y/scale")).type.shape, Shape{2});
  const Graph nchw = run_pass(batch_norm_to_scale_shift, network("[?,2,3,5]", "nchw"), 1);
  EXPECT_EQ(nchw.node(nchw.find("y/shift")).type.shape, (Shape{2, 1, 1}));
}

}  // namespace
}  // namespace chexnet_trt::passes
