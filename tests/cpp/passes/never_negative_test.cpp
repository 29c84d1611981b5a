#include "passes/never_negative.hpp"

#include <gtest/gtest.h>

#include "graph/text.hpp"

namespace chexnet_trt::passes {
namespace {

TEST(NeverNegative, FollowsSignsThroughTheGraph) {
  const Graph graph = graph_from_text(
      R"("x" = input() element=float32 shape=[?,4,4,2] layout=nhwc : float32[?,4,4,2]
"relu" = activation("x") kind=relu alpha=0 : float32[?,4,4,2]
"tanh" = activation("x") kind=tanh alpha=0 : float32[?,4,4,2]
"pool" = average_pool("relu") layout=nhwc kernel=[2,2] strides=[2,2] pads_begin=[0,0] pads_end=[0,0] : float32[?,2,2,2]
"mean" = reduce("pool") kind=mean axes=[1,2] keep_dims=false : float32[?,2]
"both" = concat("relu","relu") axis=3 : float32[?,4,4,4]
"mixed" = concat("relu","tanh") axis=3 : float32[?,4,4,4]
"sum" = binary("relu","relu") kind=add : float32[?,4,4,2]
"difference" = binary("relu","relu") kind=sub : float32[?,4,4,2]
output "y" = "mean"
)");
  const std::vector<bool> known = never_negative_values(graph);
  const auto is_never_negative = [&](std::string_view name) {
    return static_cast<bool>(known[static_cast<std::size_t>(graph.find(name))]);
  };
  for (const char* name : {"relu", "pool", "mean", "both", "sum"}) {
    EXPECT_TRUE(is_never_negative(name)) << name;
  }
  for (const char* name : {"x", "tanh", "mixed", "difference"}) {
    EXPECT_FALSE(is_never_negative(name)) << name;
  }
}

}  // namespace
}  // namespace chexnet_trt::passes
