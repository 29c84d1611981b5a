#pragma once

#include "backends/openvino/lowering.hpp"

// The lowering functions that the table in lowering.cpp lists, one file a family.
namespace chexnet_trt::openvino::lowerings {

#define CHEXNET_TRT_LOWERING(name) \
  Value name(const LoweringContext& context, const Node& node, const std::vector<Value>& inputs)

// lower_leaf_ops.cpp
CHEXNET_TRT_LOWERING(input);
CHEXNET_TRT_LOWERING(constant);

// lower_image_ops.cpp
CHEXNET_TRT_LOWERING(conv2d);
CHEXNET_TRT_LOWERING(conv_transpose2d);
CHEXNET_TRT_LOWERING(max_pool);
CHEXNET_TRT_LOWERING(average_pool);
CHEXNET_TRT_LOWERING(batch_norm);
CHEXNET_TRT_LOWERING(lrn);

// lower_elementwise.cpp
CHEXNET_TRT_LOWERING(binary);
CHEXNET_TRT_LOWERING(unary);
CHEXNET_TRT_LOWERING(activation);
CHEXNET_TRT_LOWERING(cast);
CHEXNET_TRT_LOWERING(identity);

// lower_reductions.cpp
CHEXNET_TRT_LOWERING(matmul);
CHEXNET_TRT_LOWERING(softmax);
CHEXNET_TRT_LOWERING(reduce);
CHEXNET_TRT_LOWERING(arg_max);
CHEXNET_TRT_LOWERING(arg_min);

// lower_shape_ops.cpp
CHEXNET_TRT_LOWERING(reshape);
CHEXNET_TRT_LOWERING(transpose);
CHEXNET_TRT_LOWERING(concat);
CHEXNET_TRT_LOWERING(pad);
CHEXNET_TRT_LOWERING(slice);
CHEXNET_TRT_LOWERING(gather);

// lower_quantization.cpp
CHEXNET_TRT_LOWERING(quantize);
CHEXNET_TRT_LOWERING(dequantize);

#undef CHEXNET_TRT_LOWERING

}  // namespace chexnet_trt::openvino::lowerings
