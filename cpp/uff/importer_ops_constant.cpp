#include "uff/import_types.hpp"
#include "uff/importer_ops.hpp"

namespace chexnet_trt::uff {

std::optional<ElementType> element_type_of(DataType type) {
  switch (type) {
    case DataType::kInt8: return ElementType::kInt8;
    case DataType::kInt16:
    case DataType::kInt32: return ElementType::kInt32;
    case DataType::kInt64: return ElementType::kInt64;
    case DataType::kFloat16:
    case DataType::kFloat32: return ElementType::kFloat32;
    case DataType::kInvalid: break;
  }
  return std::nullopt;
}

namespace handlers {
namespace {

Tensor widened_int16(const Shape& shape, ByteView bytes) {
  std::vector<std::int64_t> values(bytes.size / 2);
  for (std::size_t index = 0; index < values.size(); ++index) {
    const auto low = static_cast<unsigned>(bytes.data[2 * index]);
    const auto high = static_cast<unsigned>(bytes.data[2 * index + 1]);
    values[index] = static_cast<std::int16_t>(static_cast<std::uint16_t>(low | high << 8U));
  }
  if (bytes.size % 2 != 0) throw InputError("an int16 constant has an odd number of bytes");
  return Tensor::from_ints(ElementType::kInt32, shape, values);
}

}  // namespace

/// The weights stay where they lie in the file, unless they are float16 or int16.
Value constant(NodeImporter& node) {
  node.require_inputs(0);
  const DataType stored = node.data_type("dtype");
  const std::optional<ElementType> element = element_type_of(stored);
  if (!element) {
    node.unsupported("a constant of UFF data type " +
                     std::to_string(static_cast<std::int64_t>(stored)) +
                     "; convert the model with float or integer constants");
  }
  const Shape shape = node.integers("shape");
  if (shape.size() > kMaxRank) node.fail("a constant of rank " + std::to_string(shape.size()));
  const Data* values = node.field("values");
  if (values == nullptr) node.fail("the constant has no values");
  const auto* blob = std::get_if<Blob>(values);
  if (blob == nullptr) node.unsupported("a constant of texts; remove it from the model");
  try {
    const bool is_view = stored != DataType::kInt16 && stored != DataType::kFloat16;
    if (!is_view) node.spend({*element, shape});
    if (stored == DataType::kInt16) return node.make_constant(widened_int16(shape, blob->bytes));
    const bool is_half = stored == DataType::kFloat16;
    Tensor tensor = Tensor::view(is_half ? ElementType::kFloat16 : *element, shape, blob->bytes,
                                 node.meta().owner);
    if (!is_half) return node.make_constant(std::move(tensor));
    return node.make_constant(
        tensor_from_doubles(ElementType::kFloat32, shape, tensor.to_doubles()));
  } catch (const InputError& error) {
    node.fail(error.what());
  }
}

Value identity(NodeImporter& node) {
  node.require_inputs(1);
  return node.input(0);
}

Value cast(NodeImporter& node) {
  node.require_inputs(1);
  const std::optional<ElementType> to = element_type_of(node.data_type("DstT"));
  if (!to) node.unsupported("a cast to a type that UFF has no name for; remove it from the model");
  if (node.type_of(node.input(0)).element == *to) return node.input(0);
  return node.emit(Op::kCast, {node.input(0)}, CastAttributes{*to});
}

}  // namespace handlers
}  // namespace chexnet_trt::uff
