#pragma once

#include "graph/text.hpp"

namespace chexnet_trt {

/// x [batch, 8, 8, 2] -> "first": channel 0, and -2 times channel 1 -> ReLU -> "last" -> y. int8
/// reads "x" and "relu".
inline Graph conv_graph() {
  return graph_from_text(
      R"("x" = input() element=float32 shape=[?,8,8,2] layout=nhwc : float32[?,8,8,2]
"w" = constant() value={1,0,0,-2} : float32[1,1,2,2]
"first" = conv2d("x","w") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,8,8,2]
"relu" = activation("first") kind=relu alpha=0 : float32[?,8,8,2]
"last" = conv2d("relu","w") layout=nhwc strides=[1,1] dilations=[1,1] pads_begin=[0,0] pads_end=[0,0] groups=1 : float32[?,8,8,2]
output "y" = "last"
)");
}

}  // namespace chexnet_trt
