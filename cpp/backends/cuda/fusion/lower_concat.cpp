#include <utility>

#include "backends/cuda/fusion/lowerings.hpp"

namespace chexnet_trt::cuda {
namespace {

constexpr std::int64_t kWord = 16;

bool fits(const Value& part, const Value& whole, std::int64_t offset) {
  const auto width = static_cast<std::int64_t>(size_of(whole.element));
  return part.parent < 0 && part.element == whole.element && part.scale == whole.scale &&
         offset * width % kWord == 0;
}

int copy_for(ProgramBuilder& builder, int part, int whole) {
  Value copy = builder.value(part);
  copy.name += "/copy";
  copy.element = builder.value(whole).element;
  copy.scale = builder.value(whole).scale;
  copy.parent = -1;
  copy.offset = 0;
  return builder.add_copy(part, std::move(copy));
}

}  // namespace

void lower_concat(ProgramBuilder& builder, NodeId id) {
  const Node& node = builder.node(id);
  const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(node.attributes).axis);
  if (axis != builder.view().channel_axis(id)) refuse(node, "concatenates channels alone");
  const Value first = builder.value(builder.operand(id, 0));
  const int whole = builder.value_of(id);
  builder.value(whole).element = first.element;
  builder.value(whole).scale = first.scale;
  std::int64_t offset = 0;
  for (std::size_t index = 0; index < node.inputs.size(); ++index) {
    const int part = builder.operand(id, index);
    const bool in_place = fits(builder.value(part), builder.value(whole), offset);
    const int placed = in_place ? part : copy_for(builder, part, whole);
    builder.value(placed).parent = whole;
    builder.value(placed).offset = offset;
    offset += builder.value(part).channels;
  }
}

}  // namespace chexnet_trt::cuda
