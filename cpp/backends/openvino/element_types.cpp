#include "backends/openvino/element_types.hpp"

#include <cstring>
#include <limits>

#include "common/error.hpp"

namespace chexnet_trt::openvino {

ov::element::Type element_type_of(ElementType type) {
  switch (type) {
    case ElementType::kFloat32: return ov::element::f32;
    case ElementType::kFloat16: return ov::element::f16;
    case ElementType::kBFloat16: return ov::element::bf16;
    case ElementType::kInt8: return ov::element::i8;
    case ElementType::kUInt8: return ov::element::u8;
    case ElementType::kInt32: return ov::element::i32;
    case ElementType::kInt64: return ov::element::i64;
  }
  throw Error("unhandled element type");
}

ov::Shape shape_of(const Shape& shape, std::int64_t batch) {
  const Shape fixed = with_batch(shape, batch);
  return {fixed.begin(), fixed.end()};
}

std::optional<std::int64_t> first_beyond_int32(const void* values, std::size_t count) {
  const auto* bytes = static_cast<const std::byte*>(values);
  for (std::size_t index = 0; index < count; ++index) {
    std::int64_t value = 0;
    std::memcpy(&value, bytes + index * sizeof value, sizeof value);
    if (value < std::numeric_limits<std::int32_t>::min() ||
        value > std::numeric_limits<std::int32_t>::max()) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace chexnet_trt::openvino
