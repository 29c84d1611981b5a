#include "uff/import_orders.hpp"

#include <algorithm>

namespace chexnet_trt::uff {
namespace {

const Axes kNhwcAxes{0, 2, 3, 1};
const Axes kNchwAxes{0, 1, 2, 3};

/// The list under OE_SPECIAL with the pair `2, INC` expanded; empty when there is none.
Axes expanded(const DimensionOrders& orders, std::size_t rank) {
  const auto entry = std::find_if(orders.begin(), orders.end(),
                                  [](const auto& item) { return item.first == kOrderSpecial; });
  if (entry == orders.end()) return {};
  Axes axes;
  for (const std::int64_t axis : entry->second) {
    if (axis != kOrderIncrement) {
      axes.push_back(axis);
      continue;
    }
    if (axes.empty()) return {};
    while (axes.size() < rank && axes.back() < static_cast<std::int64_t>(rank) - 1) {
      axes.push_back(axes.back() + 1);
    }
  }
  return axes;
}

bool is_permutation(const Axes& axes, std::size_t rank) {
  if (axes.size() != rank) return false;
  std::vector<bool> seen(rank, false);
  for (const std::int64_t axis : axes) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(rank)) return false;
    seen[static_cast<std::size_t>(axis)] = true;
  }
  return std::all_of(seen.begin(), seen.end(), [](bool found) { return found; });
}

}  // namespace

Axes stored_axes(const NodeImporter& node, std::size_t operand, std::size_t rank,
                 const Axes& absent) {
  const Data* data = node.field("inputs_orders");
  if (data == nullptr) return absent;
  const auto* orders = std::get_if<std::vector<DimensionOrders>>(data);
  if (orders == nullptr || orders->size() <= operand) {
    node.fail("the field 'inputs_orders' does not describe operand " + std::to_string(operand));
  }
  Axes axes = expanded((*orders)[operand], rank);
  if (!is_permutation(axes, rank)) {
    node.fail("the order of operand " + std::to_string(operand) + " is not a layout of rank " +
              std::to_string(rank));
  }
  return axes;
}

TensorLayout image_layout(const NodeImporter& node) {
  const Axes axes = stored_axes(node, 0, 4, kNhwcAxes);
  if (axes == kNhwcAxes) return TensorLayout::kNhwc;
  if (axes == kNchwAxes) return TensorLayout::kNchw;
  node.unsupported("its input is laid out neither N+C nor NC+; insert a Transpose in the model");
}

std::optional<TensorLayout> declared_layout(const MetaGraph& meta, const Node& node) {
  const Data* data = find(node.fields, "inputs_orders");
  if (data == nullptr) return std::nullopt;
  const auto* orders = std::get_if<std::vector<DimensionOrders>>(&resolve(meta, *data));
  if (orders == nullptr || orders->empty()) return std::nullopt;
  const Axes axes = expanded(orders->front(), 4);
  if (axes == kNhwcAxes) return TensorLayout::kNhwc;
  if (axes == kNchwAxes) return TensorLayout::kNchw;
  return std::nullopt;
}

Axes permutation_between(const Axes& stored, const Axes& wanted) {
  Axes permutation;
  for (const std::int64_t axis : wanted) {
    permutation.push_back(std::find(stored.begin(), stored.end(), axis) - stored.begin());
  }
  return permutation;
}

}  // namespace chexnet_trt::uff
