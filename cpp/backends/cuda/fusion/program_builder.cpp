#include "backends/cuda/fusion/program_builder.hpp"

#include <algorithm>
#include <utility>

#include "backends/cuda/fusion/constants.hpp"
#include "backends/cuda/fusion/step_order.hpp"

namespace chexnet_trt::cuda {
namespace {

ElementType float_element(Precision precision) {
  switch (precision) {
    case Precision::kFloat16: return ElementType::kFloat16;
    case Precision::kBFloat16:
    case Precision::kMixed: return ElementType::kBFloat16;
    default: return ElementType::kFloat32;
  }
}

}  // namespace

bool is_8_bit(ElementType element) {
  return element == ElementType::kInt8 || element == ElementType::kUInt8;
}

ProgramBuilder::ProgramBuilder(const Graph& graph, std::int64_t batch, Precision precision)
    : graph_(graph),
      view_(graph),
      float_element_(float_element(precision)),
      claimed_(graph.nodes().size(), false) {
  program_.images = batch;
}

bool ProgramBuilder::is_constant(NodeId id) const {
  const Node& own = node(id);
  return own.op == Op::kConstant || (own.op == Op::kDequantize && !view_.is_alias(id));
}

bool ProgramBuilder::is_variable(NodeId id) const {
  const Node& own = node(id);
  if (own.op == Op::kInput) return true;
  return std::any_of(own.inputs.begin(), own.inputs.end(),
                     [&](NodeId input) { return !is_constant(input); });
}

NodeId ProgramBuilder::sole_reader(NodeId id) const {
  const std::vector<NodeId>& readers = view_.readers(id);
  if (readers.size() != 1 || readers[0] < 0) return -1;
  return is_claimed(readers[0]) ? -1 : readers[0];
}

int ProgramBuilder::value_of(NodeId source) {
  const auto [found, inserted] =
      values_.try_emplace(source, static_cast<int>(program_.values.size()));
  if (inserted) {
    const Extents extents = view_.extents(source);
    program_.values.push_back({node(source).name, extents.height, extents.width, extents.channels,
                               float_element_, 1, -1, 0});
  }
  return found->second;
}

int ProgramBuilder::operand(NodeId id, std::size_t index) {
  return value_of(view_.source(node(id).inputs[index]));
}

int ProgramBuilder::quantized_value(NodeId quantize) {
  const Tensor* scale = graph_.constant(node(quantize).inputs[1]);
  if (scale == nullptr) refuse(node(quantize), "needs a constant scale");
  const int index = value_of(quantize);
  value(index).element = std::get<QuantizeAttributes>(node(quantize).attributes).element;
  value(index).scale = floats_of(*scale)[0];
  return index;
}

int ProgramBuilder::dequantized(int input) {
  const auto [found, inserted] = dequantized_.try_emplace(input, -1);
  if (!inserted) return found->second;
  Value copy = value(input);
  copy.name += "/float";
  copy.element = float_element_;
  copy.scale = 1;
  copy.parent = -1;
  copy.offset = 0;
  found->second = add_copy(input, std::move(copy));
  return found->second;
}

int ProgramBuilder::add_copy(Value copy, StepKind kind) {
  const int result = static_cast<int>(program_.values.size());
  Step step;
  step.name = copy.name;
  step.kind = std::move(kind);
  step.epilogue.output = result;
  program_.values.push_back(std::move(copy));
  add_step(std::move(step));
  return result;
}

void ProgramBuilder::add_step(Step step) {
  for (const int written : writes_of(step)) writers_[written] = program_.steps.size();
  program_.steps.push_back(std::move(step));
}

Step* ProgramBuilder::writer_of(int value) {
  const auto writer = writers_.find(value);
  return writer == writers_.end() ? nullptr : &program_.steps[writer->second];
}

Program ProgramBuilder::take() {
  sort_steps(program_);
  return std::move(program_);
}

}  // namespace chexnet_trt::cuda
