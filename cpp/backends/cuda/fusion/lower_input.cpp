#include <algorithm>

#include "backends/cuda/fusion/chain.hpp"
#include "backends/cuda/fusion/lowerings.hpp"

namespace chexnet_trt::cuda {

void lower_input(ProgramBuilder& builder, NodeId id) {
  const GraphView& view = builder.view();
  const Node& node = builder.node(id);
  if (view.readers(id).empty()) return;
  const Extents extents = view.extents(id);
  const std::vector<NodeId> inputs = builder.graph().inputs();
  InputStep input;
  input.binding =
      static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), id) - inputs.begin());
  input.element = node.type.element;
  input.channels_first = view.layout(id) == TensorLayout::kNchw;
  input.height = extents.height;
  input.width = extents.width;
  input.channels = extents.channels;
  if (input.element != ElementType::kFloat32 && input.element != ElementType::kUInt8) {
    refuse(node, "takes float32 and uint8 inputs alone");
  }
  Chain chain(builder, id, input);
  chain.take_no_more_than_scales();
  const NodeId next = builder.sole_reader(id);
  if (next >= 0 && builder.node(next).op == Op::kCast &&
      is_floating(builder.node(next).type.element)) {
    chain.take_cast(next);
  }
  chain.finish();
}

}  // namespace chexnet_trt::cuda
