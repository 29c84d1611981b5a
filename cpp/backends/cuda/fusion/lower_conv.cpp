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

/// What a convolution multiplies.
struct Operands {
  int input = -1;
  Tensor weights;              ///< [out][height][width][in]
  std::vector<double> scales;  ///< of the sums of 8-bit products; empty: floats
};

Operands operands_of(ProgramBuilder& builder, NodeId id) {
  const LayerWeights weights = weights_of(builder, id);
  Operands operands;
  operands.input = builder.operand(id, 0);
  const bool has_8_bit_input = is_8_bit(builder.value(operands.input).element);
  const bool in_8_bits = has_8_bit_input && !weights.scales.empty();
  if (has_8_bit_input && !in_8_bits) operands.input = builder.dequantized(operands.input);
  operands.weights = out_channels_first(in_8_bits ? weights.values : as_floats(weights));
  if (!in_8_bits) return operands;
  const auto input_scale = static_cast<double>(builder.value(operands.input).scale);
  for (const float scale : weights.scales) operands.scales.push_back(scale * input_scale);
  return operands;
}

void finish(Chain chain, const std::vector<double>& scales) {
  if (!scales.empty()) compose(chain.epilogue().affine, scales, {});
  chain.finish();
}

}  // namespace

void lower_conv(ProgramBuilder& builder, NodeId id) {
  const auto& attributes = std::get<ConvAttributes>(builder.node(id).attributes);
  Operands operands = operands_of(builder, id);
  if (attributes.groups != 1) {
    const GroupedConvStep conv{operands.input,       std::move(operands.weights),
                               attributes.groups,    attributes.strides,
                               attributes.dilations, attributes.pads_begin};
    return finish(Chain(builder, id, conv), operands.scales);
  }
  ConvStep conv{operands.input, std::move(operands.weights), attributes.strides,
                attributes.dilations, attributes.pads_begin};
  spread_blocks(builder, id, conv);
  finish(Chain(builder, id, std::move(conv)), operands.scales);
}

}  // namespace chexnet_trt::cuda
