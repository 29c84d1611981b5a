#include <cstring>
#include <openvino/op/constant.hpp>
#include <openvino/op/parameter.hpp>

#include "backends/openvino/element_types.hpp"
#include "backends/openvino/lowerings.hpp"
#include "common/error.hpp"

namespace chexnet_trt::openvino::lowerings {
namespace {

void check_int64(const Node& node, const Tensor& value) {
  if (value.type() != ElementType::kInt64) return;
  const auto beyond =
      first_beyond_int32(value.bytes().data, static_cast<std::size_t>(value.size()));
  if (!beyond) return;
  throw InputError("the constant '" + node.name + "' holds " + std::to_string(*beyond) +
                   ", and the openvino backend computes int64 in 32 bits; use float32 for it");
}

}  // namespace

Value input(const LoweringContext& context, const Node& node,
            const std::vector<Value>& /*inputs*/) {
  auto parameter = std::make_shared<ov::op::v0::Parameter>(
      element_type_of(node.type.element), shape_of(node.type.shape, context.batch));
  context.parameters.push_back(parameter);
  return {parameter, identity_order(node.type.shape.size())};
}

Value constant(const LoweringContext& context, const Node& node,
               const std::vector<Value>& /*inputs*/) {
  const Tensor& value = std::get<ConstantAttributes>(node.attributes).value;
  check_int64(node, value);
  const ov::element::Type type = element_type_of(value.type());
  const ov::Shape shape = shape_of(value.shape(), context.batch);
  const void* data = value.bytes().data;
  // A constant of a file may lie at any address; kernels want elements aligned.
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % type.size() == 0;
  auto result = aligned && value.owner() != nullptr
                    ? std::make_shared<ov::op::v0::Constant>(
                          type, shape, data, std::const_pointer_cast<void>(value.owner()))
                    : std::make_shared<ov::op::v0::Constant>(type, shape, data);
  return {result, identity_order(shape.size())};
}

}  // namespace chexnet_trt::openvino::lowerings
