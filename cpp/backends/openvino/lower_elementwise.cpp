#include <algorithm>
#include <openvino/op/abs.hpp>
#include <openvino/op/acos.hpp>
#include <openvino/op/acosh.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/asin.hpp>
#include <openvino/op/asinh.hpp>
#include <openvino/op/atan.hpp>
#include <openvino/op/atanh.hpp>
#include <openvino/op/ceiling.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/cos.hpp>
#include <openvino/op/cosh.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/elu.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/floor.hpp>
#include <openvino/op/log.hpp>
#include <openvino/op/maximum.hpp>
#include <openvino/op/minimum.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/negative.hpp>
#include <openvino/op/power.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/selu.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/sin.hpp>
#include <openvino/op/sinh.hpp>
#include <openvino/op/softplus.hpp>
#include <openvino/op/softsign.hpp>
#include <openvino/op/sqrt.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/tan.hpp>
#include <openvino/op/tanh.hpp>

#include "backends/openvino/element_types.hpp"
#include "backends/openvino/fused_sum.hpp"
#include "backends/openvino/lowerings.hpp"
#include "common/error.hpp"

namespace chexnet_trt::openvino::lowerings {
namespace {

using Output = ov::Output<ov::Node>;
using NodePtr = std::shared_ptr<ov::Node>;

template <typename OvOp>
NodePtr make(const Output& x) {
  return std::make_shared<OvOp>(x);
}

template <typename OvOp>
NodePtr make(const Output& a, const Output& b) {
  return std::make_shared<OvOp>(a, b);
}

NodePtr make_binary(BinaryKind kind, const Output& a, const Output& b) {
  switch (kind) {
    case BinaryKind::kAdd: return make<ov::op::v1::Add>(a, b);
    case BinaryKind::kSub: return make<ov::op::v1::Subtract>(a, b);
    case BinaryKind::kMul: return make<ov::op::v1::Multiply>(a, b);
    case BinaryKind::kDiv: {
      constexpr bool kRoundsDown = false;
      return std::make_shared<ov::op::v1::Divide>(a, b, kRoundsDown);
    }
    case BinaryKind::kMin: return make<ov::op::v1::Minimum>(a, b);
    case BinaryKind::kMax: return make<ov::op::v1::Maximum>(a, b);
    case BinaryKind::kPow: return make<ov::op::v1::Power>(a, b);
  }
  throw Error("unhandled binary kind");
}

NodePtr scalar(const Output& like, double value) {
  return ov::op::v0::Constant::create(like.get_element_type(), {}, {value});
}

NodePtr make_unary(UnaryKind kind, const Output& x) {
  switch (kind) {
    case UnaryKind::kNeg: return make<ov::op::v0::Negative>(x);
    case UnaryKind::kExp: return make<ov::op::v0::Exp>(x);
    case UnaryKind::kLog: return make<ov::op::v0::Log>(x);
    case UnaryKind::kAbs: return make<ov::op::v0::Abs>(x);
    case UnaryKind::kSqrt: return make<ov::op::v0::Sqrt>(x);
    case UnaryKind::kRsqrt: return make<ov::op::v1::Power>(x, scalar(x, -0.5));
    case UnaryKind::kSquare: return make<ov::op::v1::Multiply>(x, x);
    case UnaryKind::kSin: return make<ov::op::v0::Sin>(x);
    case UnaryKind::kCos: return make<ov::op::v0::Cos>(x);
    case UnaryKind::kTan: return make<ov::op::v0::Tan>(x);
    case UnaryKind::kSinh: return make<ov::op::v0::Sinh>(x);
    case UnaryKind::kCosh: return make<ov::op::v0::Cosh>(x);
    case UnaryKind::kAsin: return make<ov::op::v0::Asin>(x);
    case UnaryKind::kAcos: return make<ov::op::v0::Acos>(x);
    case UnaryKind::kAtan: return make<ov::op::v0::Atan>(x);
    case UnaryKind::kAsinh: return make<ov::op::v3::Asinh>(x);
    case UnaryKind::kAcosh: return make<ov::op::v3::Acosh>(x);
    case UnaryKind::kAtanh: return make<ov::op::v3::Atanh>(x);
    case UnaryKind::kCeil: return make<ov::op::v0::Ceiling>(x);
    case UnaryKind::kFloor: return make<ov::op::v0::Floor>(x);
  }
  throw Error("unhandled unary kind");
}

NodePtr make_activation(const ActivationAttributes& activation, const Output& x) {
  // Klambauer et al., Self-Normalizing Neural Networks, 2017.
  constexpr double kSeluAlpha = 1.6732632423543772;
  constexpr double kSeluScale = 1.0507009873554805;
  switch (activation.kind) {
    case ActivationKind::kRelu: return make<ov::op::v0::Relu>(x);
    case ActivationKind::kRelu6: return std::make_shared<ov::op::v0::Clamp>(x, 0.0, 6.0);
    case ActivationKind::kSigmoid: return make<ov::op::v0::Sigmoid>(x);
    case ActivationKind::kTanh: return make<ov::op::v0::Tanh>(x);
    case ActivationKind::kElu: return std::make_shared<ov::op::v0::Elu>(x, 1.0);
    case ActivationKind::kSelu:
      return std::make_shared<ov::op::v0::Selu>(x, scalar(x, kSeluAlpha), scalar(x, kSeluScale));
    case ActivationKind::kSoftsign: return make<ov::op::v9::SoftSign>(x);
    case ActivationKind::kSoftplus: return make<ov::op::v4::SoftPlus>(x);
    case ActivationKind::kLeakyRelu: {
      const auto slope =
          ov::op::v0::Constant::create(x.get_element_type(), {1}, {activation.alpha});
      return make<ov::op::v0::PRelu>(x, slope);
    }
  }
  throw Error("unhandled activation kind");
}

bool is_constant(const Value& value) {
  return ov::is_type<ov::op::v0::Constant>(value.output.get_node());
}

/// True when the operands should lie as `a` does: the other one is cheaper to move.
bool keeps_order(const Value& a, const Value& b) {
  if (is_constant(a) != is_constant(b)) return is_constant(b);
  return ov::shape_size(a.output.get_shape()) >= ov::shape_size(b.output.get_shape());
}

}  // namespace

Value binary(const LoweringContext& context, const Node& node, const std::vector<Value>& inputs) {
  const std::size_t rank = std::max(inputs[0].order.size(), inputs[1].order.size());
  const Value a = with_rank(inputs[0], rank);
  const Value b = with_rank(inputs[1], rank);
  const Order order = keeps_order(a, b) ? a.order : b.order;
  const BinaryKind kind = std::get<BinaryAttributes>(node.attributes).kind;
  const Value left = fused_sum_operand(context, node, 0, arranged(a, order));
  const Value right = fused_sum_operand(context, node, 1, arranged(b, order));
  return {make_binary(kind, left.output, right.output), order};
}

Value unary(const LoweringContext& /*context*/, const Node& node,
            const std::vector<Value>& inputs) {
  const UnaryKind kind = std::get<UnaryAttributes>(node.attributes).kind;
  return {make_unary(kind, inputs[0].output), inputs[0].order};
}

Value activation(const LoweringContext& /*context*/, const Node& node,
                 const std::vector<Value>& inputs) {
  const auto& attributes = std::get<ActivationAttributes>(node.attributes);
  return {make_activation(attributes, inputs[0].output), inputs[0].order};
}

Value cast(const LoweringContext& /*context*/, const Node& node, const std::vector<Value>& inputs) {
  const ov::element::Type to = element_type_of(std::get<CastAttributes>(node.attributes).to);
  if (inputs[0].output.get_element_type() == to) return inputs[0];
  return {std::make_shared<ov::op::v0::Convert>(inputs[0].output, to), inputs[0].order};
}

Value identity(const LoweringContext& /*context*/, const Node& /*node*/,
               const std::vector<Value>& inputs) {
  return inputs[0];
}

}  // namespace chexnet_trt::openvino::lowerings
