#include "backends/cuda/fusion/chain.hpp"
#include "backends/cuda/fusion/lowerings.hpp"

namespace chexnet_trt::cuda {

void lower_elementwise(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  const std::size_t variable = builder.is_constant(node.inputs[0]) ? 1 : 0;
  Chain chain(builder, builder.view().source(node.inputs[variable]));
  if (node.op == Op::kQuantize) {
    chain.take_quantize(id);
  } else if (!chain.take(id)) {
    refuse(node, "adds images, and scales, shifts and activates them channel by channel");
  }
  chain.finish();
}

}  // namespace chexnet_trt::cuda
