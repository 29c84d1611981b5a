#include <utility>

#include "backends/cuda/conv_weights.hpp"
#include "backends/cuda/fusion/affine.hpp"
#include "backends/cuda/fusion/chain.hpp"
#include "backends/cuda/fusion/constants.hpp"
#include "backends/cuda/fusion/lowerings.hpp"

namespace chexnet_trt::cuda {
namespace {

/// Turns the first layer, of stride 2 over a few channels, into one of stride 1 over blocks.
void spread_blocks(ProgramBuilder& builder, NodeId id, ConvStep& conv) {
  constexpr std::int64_t kFewChannels = 4;
  const NodeId source = builder.view().source(builder.node(id).inputs[0]);
  Step* writer = builder.writer_of(conv.input);
  if (writer == nullptr || builder.view().readers(source).size() != 1) return;
  auto* input = std::get_if<InputStep>(&writer->kind);
  const Spatial ones{1, 1};
  if (input == nullptr || input->channels > kFewChannels || conv.strides != Spatial{2, 2} ||
      conv.dilations != ones) {
    return;
  }
  const Extents out = builder.view().extents(id);
  conv.weights = over_blocks(conv.weights);
  conv.strides = ones;
  input->block = 2;
  input->pads = std::exchange(conv.pads, Spatial{0, 0});
  Value& image = builder.value(conv.input);
  image.height = out.height + conv.weights.shape()[1] - 1;
  image.width = out.width + conv.weights.shape()[2] - 1;
  image.channels = conv.weights.shape()[3];
}

}  // namespace

void lower_conv(ProgramBuilder& builder, NodeId id) {
  const auto& attributes = std::get<ConvAttributes>(builder.node(id).attributes);
  if (attributes.groups != 1) refuse(builder.node(id), "has no grouped convolution");
  const LayerWeights weights = weights_of(builder, id);
  ConvStep conv;
  conv.input = builder.operand(id, 0);
  conv.strides = attributes.strides;
  conv.dilations = attributes.dilations;
  conv.pads = attributes.pads_begin;
  const bool has_8_bit_input = is_8_bit(builder.value(conv.input).element);
  const bool in_8_bits = has_8_bit_input && !weights.scales.empty();
  if (has_8_bit_input && !in_8_bits) conv.input = builder.dequantized(conv.input);
  conv.weights = out_channels_first(in_8_bits ? weights.values : as_floats(weights));
  spread_blocks(builder, id, conv);
  const float input_scale = builder.value(conv.input).scale;
  Chain chain(builder, id, std::move(conv));
  if (in_8_bits) {
    std::vector<double> scales(weights.scales.begin(), weights.scales.end());
    for (double& scale : scales) scale *= static_cast<double>(input_scale);
    compose(chain.epilogue().affine, scales, {});
  }
  chain.finish();
}

}  // namespace chexnet_trt::cuda
