#include <utility>

#include "backends/cuda/fusion/lowerings.hpp"

namespace chexnet_trt::cuda {
namespace {

/// Lets the dense layer that computes `source` write the binding, if nobody else reads it.
bool writes_directly(ProgramBuilder& builder, NodeId source, std::size_t binding) {
  const int index = builder.value_of(source);
  const Step* writer = builder.writer_of(index);
  if (writer == nullptr || builder.view().readers(source).size() != 1) return false;
  if (!std::holds_alternative<DenseStep>(writer->kind) || writer->epilogue.output != index) {
    return false;
  }
  builder.value(index).element = ElementType::kFloat32;
  builder.value(index).binding = static_cast<int>(binding);
  return true;
}

/// The numbers of `input` with their signs changed.
int negated(ProgramBuilder& builder, int input) {
  Value copy = builder.value(input);
  copy.name += "/negated";
  copy.element = ElementType::kFloat32;
  copy.scale = 1;
  copy.parent = -1;
  copy.offset = 0;
  copy.binding = -1;
  return builder.add_copy(std::move(copy), UnaryStep{input, UnaryKind::kNeg});
}

/// Of ArgMax and ArgMin.
void add_arg_max(ProgramBuilder& builder, Step step, NodeId id, std::size_t binding) {
  const Node& node = builder.node(id);
  const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(node.attributes).axis);
  const NodeId input = node.inputs[0];
  if (builder.node(input).type.shape.size() != 2 || axis != 1) {
    refuse(node, "names the largest number of matrix rows alone");
  }
  const int rows = builder.operand(id, 0);
  step.nodes.push_back(node.name);
  step.kind = ArgMaxStep{node.op == Op::kArgMax ? rows : negated(builder, rows), binding,
                         node.type.element};
  builder.add_step(std::move(step));
}

void lower_output(ProgramBuilder& builder, const GraphOutput& output, std::size_t binding) {
  const GraphView& view = builder.view();
  const Node& node = builder.node(output.value);
  const NodeId source = view.source(output.value);
  Step step;
  step.name = output.name;
  const Op op = builder.node(source).op;
  if (op == Op::kArgMax || op == Op::kArgMin) {
    add_arg_max(builder, std::move(step), source, binding);
    return;
  }
  if (node.type.element != ElementType::kFloat32) refuse(node, "has outputs of float32 alone");
  if (writes_directly(builder, source, binding)) return;
  const bool channels_first =
      node.type.shape.size() == 4 && view.layout(output.value) == TensorLayout::kNchw;
  step.kind = OutputStep{builder.value_of(source), binding, channels_first};
  builder.add_step(std::move(step));
}

}  // namespace

void lower_outputs(ProgramBuilder& builder) {
  const std::vector<GraphOutput>& outputs = builder.graph().outputs();
  const std::size_t inputs = builder.graph().inputs().size();
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    lower_output(builder, outputs[index], inputs + index);
  }
}

}  // namespace chexnet_trt::cuda
