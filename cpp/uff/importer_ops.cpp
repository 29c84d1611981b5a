#include "uff/importer_ops.hpp"

#include <array>
#include <utility>

namespace chexnet_trt::uff {
namespace {

using Row = std::pair<std::string_view, Handler>;

constexpr std::array kHandlers{
    Row{"Const", handlers::constant},
    Row{"Identity", handlers::identity},
    Row{"MarkOutput", handlers::identity},
    Row{"Conv", handlers::conv},
    Row{"ConvTranspose", handlers::conv_transpose},
    Row{"Pool", handlers::pool},
    Row{"FullyConnected", handlers::fully_connected},
    Row{"LRN", handlers::lrn},
    Row{"Binary", handlers::binary},
    Row{"Unary", handlers::unary},
    Row{"Activation", handlers::activation},
    Row{"LeakyRelu", handlers::leaky_relu},
    Row{"ExpandDims", handlers::expand_dims},
    Row{"ArgMax", handlers::arg_max},
    Row{"ArgMin", handlers::arg_min},
    Row{"Reshape", handlers::reshape},
    Row{"Transpose", handlers::transpose},
    Row{"Reduce", handlers::reduce},
    Row{"Concat", handlers::concat},
    Row{"Stack", handlers::stack},
    Row{"Shape", handlers::shape},
    Row{"StridedSlice", handlers::strided_slice},
    Row{"Softmax", handlers::softmax},
    Row{"BatchNorm", handlers::batch_norm},
    Row{"Squeeze", handlers::squeeze},
    Row{"Flatten", handlers::flatten},
    Row{"Pad", handlers::pad},
    Row{"Gather", handlers::gather},
    Row{"GatherV2", handlers::gather_v2},
    // TensorFlow ops that older converters wrote as custom ops.
    Row{"_AddV2", handlers::add},
    Row{"_FusedBatchNorm", handlers::custom_batch_norm},
    Row{"_FusedBatchNormV2", handlers::custom_batch_norm},
    Row{"_FusedBatchNormV3", handlers::custom_batch_norm},
    Row{"_LeakyRelu", handlers::leaky_relu},
    Row{"_Cast", handlers::cast},
    Row{"_MaxPool", handlers::custom_max_pool},
    Row{"_AvgPool", handlers::custom_average_pool},
    Row{"_Identity", handlers::identity},
    Row{"_StopGradient", handlers::identity},
};

}  // namespace

Handler find_handler(std::string_view operation) {
  for (const auto& [name, handler] : kHandlers) {
    if (name == operation) return handler;
  }
  return nullptr;
}

}  // namespace chexnet_trt::uff
