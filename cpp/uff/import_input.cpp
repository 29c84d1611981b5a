#include "uff/import_input.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "common/error.hpp"
#include "uff/import_orders.hpp"
#include "uff/import_types.hpp"

namespace chexnet_trt::uff {
namespace {

constexpr std::array<std::string_view, 4> kLayoutBearing{"Conv", "Pool", "BatchNorm",
                                                         "ConvTranspose"};
/// Ops whose result has the axes of their first image operand.
constexpr std::array<std::string_view, 10> kAxisKeeping{
    "Identity", "Binary", "Unary",     "Activation",    "LeakyRelu",
    "Pad",      "_AddV2", "_Identity", "_StopGradient", "_Cast"};

template <typename List>
bool contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// Axis i of the current value is axis `at[i]` of the input.
using AxisMap = std::vector<std::int64_t>;

std::optional<TensorLayout> layout_through(const AxisMap& map, TensorLayout consumed) {
  const std::string_view letters = consumed == TensorLayout::kNhwc ? "NHWC" : "NCHW";
  std::string own(4, ' ');
  for (std::size_t axis = 0; axis < 4; ++axis) {
    own[static_cast<std::size_t>(map[axis])] = letters[axis];
  }
  if (own == "NHWC") return TensorLayout::kNhwc;
  if (own == "NCHW") return TensorLayout::kNchw;
  return std::nullopt;
}

/// The map behind a Transpose, empty when its field makes no sense.
AxisMap transposed(const MetaGraph& meta, const Node& node, const AxisMap& map) {
  const Data* data = find(node.fields, "permutation");
  if (data == nullptr) return {};
  const auto* permutation = std::get_if<std::vector<std::int64_t>>(&resolve(meta, *data));
  if (permutation == nullptr || permutation->size() != map.size()) return {};
  AxisMap result;
  for (const std::int64_t axis : *permutation) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(map.size())) return {};
    result.push_back(map[static_cast<std::size_t>(axis)]);
  }
  return std::set<std::int64_t>(result.begin(), result.end()).size() == map.size() ? result
                                                                                   : AxisMap{};
}

ElementType declared_element(const NodeImporter& node) {
  const char* name = node.field("dtype") == nullptr ? "" : "dtype";
  if (*name == '\0') return ElementType::kFloat32;
  return element_type_of(node.data_type(name)).value_or(ElementType::kFloat32);
}

/// What the network reads where the binding has `binding` in `layout`.
Value adapted(NodeImporter& node, Value value, TensorLayout layout, TensorLayout consumed) {
  if (layout == consumed) return value;
  const bool to_nhwc = consumed == TensorLayout::kNhwc;
  return node.emit(Op::kTranspose, {value},
                   TransposeAttributes{to_nhwc ? Axes{0, 2, 3, 1} : Axes{0, 3, 1, 2}},
                   to_nhwc ? "/nhwc" : "/nchw");
}

/// The file's shape with an open batch, if it is another view of `image`'s elements.
std::optional<Shape> other_view(const std::optional<Shape>& declared, const Shape& image) {
  if (!declared || declared->empty() || declared->size() == 4) return std::nullopt;
  Shape shape(declared->begin() + 1, declared->end());
  const bool known = std::all_of(shape.begin(), shape.end(), [](std::int64_t e) { return e > 0; });
  if (!known || element_count(shape) != element_count(image)) return std::nullopt;
  shape.insert(shape.begin(), kBatch);
  return shape;
}

/// Whether the file's shape leaves room for `image`; unknown extents fit everything.
bool fits(const Shape& declared, const Shape& image) {
  for (std::size_t axis = 0; axis < image.size(); ++axis) {
    if (declared[axis + 1] > 0 && declared[axis + 1] != image[axis]) return false;
  }
  return true;
}

/// The layout of the file's own shape, by which of the two `dims` (C, H, W or H, W, C) fits it.
/// A size that fits neither is refused: a network fed another size than it was exported with gives
/// scores that look sound and mean nothing.
TensorLayout layout_by_shape(const Node& node, const std::optional<Shape>& declared,
                             const Shape& dims, bool channels_first) {
  if (!declared || declared->size() != 4) return TensorLayout::kNhwc;
  const Shape chw = channels_first ? dims : Shape{dims[2], dims[0], dims[1]};
  const Shape hwc = channels_first ? Shape{dims[1], dims[2], dims[0]} : dims;
  if (fits(*declared, hwc)) return TensorLayout::kNhwc;
  if (fits(*declared, chw)) return TensorLayout::kNchw;
  throw InputError("input '" + std::string(node.id) + "' is " + to_string(*declared) +
                   " in the file, --uffInput says " + to_string(dims) +
                   "; give the size that the network was exported with");
}

}  // namespace

bool is_input(const Node& node) {
  return node.operation == "Input" || node.operation == "_PlaceholderWithDefault";
}

std::optional<Shape> declared_shape(const MetaGraph& meta, const Node& node) {
  const Data* data = find(node.fields, "shape");
  if (data == nullptr) return std::nullopt;
  const auto* shape = std::get_if<std::vector<std::int64_t>>(&resolve(meta, *data));
  return shape == nullptr ? std::nullopt : std::optional<Shape>(*shape);
}

std::optional<TensorLayout> consumed_layout(const Network& network,
                                            const std::vector<std::size_t>& order,
                                            std::size_t index) {
  std::unordered_map<std::size_t, AxisMap> maps{{index, {0, 1, 2, 3}}};
  for (const std::size_t user : order) {
    const Node& node = network.node(user);
    for (const std::size_t producer : network.producers(user)) {
      const auto found = maps.find(producer);
      if (found == maps.end()) continue;
      const AxisMap map = found->second;
      if (contains(kLayoutBearing, node.operation)) {
        const auto declared = declared_layout(network.meta(), node);
        if (declared) return layout_through(map, *declared);
      } else if (contains(kAxisKeeping, node.operation)) {
        maps.emplace(user, map);
      } else if (node.operation == "Transpose") {
        const AxisMap behind = transposed(network.meta(), node, map);
        if (!behind.empty()) maps.emplace(user, behind);
      }
      break;
    }
  }
  return std::nullopt;
}

Value import_registered_input(NodeImporter& node, const RegisteredInput& registered,
                              std::optional<TensorLayout> consumed) {
  const ElementType wanted = declared_element(node);
  const ElementType element =
      is_floating(registered.element) && !is_floating(wanted) ? wanted : registered.element;
  const std::optional<Shape> declared = declared_shape(node.meta(), node.node());
  Shape binding = registered.dims;
  binding.insert(binding.begin(), kBatch);
  TensorLayout layout = TensorLayout::kPlain;
  if (registered.order == UffInputOrder::kNCHW) layout = TensorLayout::kNchw;
  if (registered.order == UffInputOrder::kNHWC) layout = TensorLayout::kNhwc;
  Value value = node.emit(Op::kInput, {}, InputAttributes{element, binding, layout});
  if (element != wanted) value = node.emit(Op::kCast, {value}, CastAttributes{wanted}, "/cast");
  if (layout == TensorLayout::kPlain) return value;
  if (const std::optional<Shape> view = other_view(declared, registered.dims)) {
    return node.emit(Op::kReshape, {value}, ReshapeAttributes{*view}, "/reshape");
  }
  const bool channels_first = layout == TensorLayout::kNchw;
  const TensorLayout by_shape =
      layout_by_shape(node.node(), declared, registered.dims, channels_first);
  return adapted(node, value, layout, consumed.value_or(by_shape));
}

std::optional<Value> import_declared_input(NodeImporter& node,
                                           std::optional<TensorLayout> consumed) {
  const std::optional<Shape> declared = declared_shape(node.meta(), node.node());
  if (!declared || declared->empty()) return std::nullopt;
  Shape shape = *declared;
  const bool known =
      std::all_of(shape.begin() + 1, shape.end(), [](std::int64_t extent) { return extent > 0; });
  if (!known) return std::nullopt;
  shape[0] = kBatch;
  const TensorLayout layout =
      shape.size() == 4 ? consumed.value_or(TensorLayout::kNhwc) : TensorLayout::kPlain;
  return node.emit(Op::kInput, {}, InputAttributes{declared_element(node), shape, layout});
}

}  // namespace chexnet_trt::uff
