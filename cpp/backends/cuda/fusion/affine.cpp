#include "backends/cuda/fusion/affine.hpp"

#include <algorithm>
#include <optional>

namespace chexnet_trt::cuda {
namespace {

/// The constant operand of a binary node, channel by channel.
struct ConstantOperand {
  std::vector<double> values;
  bool is_left = false;
};

std::optional<ConstantOperand> constant_operand(const ProgramBuilder& builder, NodeId reader) {
  const Node& own = builder.node(reader);
  const bool is_left = builder.graph().constant(own.inputs[0]) != nullptr;
  const Tensor* constant = builder.graph().constant(own.inputs[is_left ? 0 : 1]);
  if (constant == nullptr) return std::nullopt;
  if (!have_same_extents(builder.view(), reader, own.inputs[is_left ? 1 : 0])) return std::nullopt;
  const std::optional<std::vector<double>> values = builder.view().per_channel(*constant, reader);
  if (!values) return std::nullopt;
  return ConstantOperand{*values, is_left};
}

}  // namespace

void compose(Affine& affine, const std::vector<double>& mul, const std::vector<double>& add) {
  const std::size_t channels = std::max(mul.size(), add.size());
  if (affine.mul.empty() && !mul.empty()) affine.mul.assign(channels, 1.0F);
  if (affine.add.empty()) affine.add.assign(channels, 0.0F);
  for (std::size_t c = 0; c < channels; ++c) {
    const double factor = mul.empty() ? 1 : mul[c];
    if (!mul.empty()) affine.mul[c] = static_cast<float>(affine.mul[c] * factor);
    const double shift = add.empty() ? 0 : add[c];
    affine.add[c] = static_cast<float>(affine.add[c] * factor + shift);
  }
}

bool compose(Affine& affine, const ProgramBuilder& builder, NodeId reader) {
  const Node& own = builder.node(reader);
  if (own.op != Op::kBinary) return false;
  std::optional<ConstantOperand> operand = constant_operand(builder, reader);
  if (!operand) return false;
  std::vector<double>& values = operand->values;
  switch (std::get<BinaryAttributes>(own.attributes).kind) {
    case BinaryKind::kAdd: compose(affine, {}, values); return true;
    case BinaryKind::kMul: compose(affine, values, {}); return true;
    case BinaryKind::kSub:
      if (operand->is_left) {
        compose(affine, std::vector<double>(values.size(), -1), values);
      } else {
        for (double& each : values) each = -each;
        compose(affine, {}, values);
      }
      return true;
    case BinaryKind::kDiv:
      if (operand->is_left) return false;
      for (double& each : values) each = 1 / each;
      compose(affine, values, {});
      return true;
    default: return false;
  }
}

bool have_same_extents(const GraphView& view, NodeId a, NodeId b) {
  const Extents left = view.extents(a);
  const Extents right = view.extents(b);
  return left.height == right.height && left.width == right.width &&
         left.channels == right.channels;
}

}  // namespace chexnet_trt::cuda
