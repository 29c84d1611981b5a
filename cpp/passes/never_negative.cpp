#include "passes/never_negative.hpp"

namespace chexnet_trt::passes {
namespace {

bool never_negative(const Node& node, const std::vector<bool>& known) {
  const auto operand = [&](std::size_t index) {
    return known[static_cast<std::size_t>(node.inputs[index])];
  };
  switch (node.op) {
    case Op::kActivation: {
      const ActivationKind kind = std::get<ActivationAttributes>(node.attributes).kind;
      return kind == ActivationKind::kRelu || kind == ActivationKind::kRelu6 ||
             kind == ActivationKind::kSigmoid || kind == ActivationKind::kSoftplus;
    }
    case Op::kUnary: {
      const UnaryKind kind = std::get<UnaryAttributes>(node.attributes).kind;
      return kind == UnaryKind::kAbs || kind == UnaryKind::kSquare || kind == UnaryKind::kExp;
    }
    case Op::kSoftmax: return true;
    case Op::kIdentity:
    case Op::kMaxPool:
    case Op::kAveragePool:
    case Op::kReshape:
    case Op::kTranspose:
    case Op::kPad:
    case Op::kSlice:
    case Op::kReduce: return operand(0);
    case Op::kConcat: {
      bool all = true;
      for (std::size_t index = 0; index < node.inputs.size(); ++index) all = all && operand(index);
      return all;
    }
    case Op::kBinary: {
      const BinaryKind kind = std::get<BinaryAttributes>(node.attributes).kind;
      if (kind == BinaryKind::kMax) return operand(0) || operand(1);
      const bool keeps =
          kind == BinaryKind::kAdd || kind == BinaryKind::kMul || kind == BinaryKind::kMin;
      return keeps && operand(0) && operand(1);
    }
    default: return false;
  }
}

}  // namespace

std::vector<bool> never_negative_values(const Graph& graph) {
  std::vector<bool> known;
  known.reserve(graph.nodes().size());
  for (const Node& node : graph.nodes()) known.push_back(never_negative(node, known));
  return known;
}

}  // namespace chexnet_trt::passes
