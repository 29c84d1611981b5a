#include "common/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "common/error.hpp"
#include "common/half.hpp"

namespace chexnet_trt {
namespace {

template <typename Wide, typename Stored, typename Convert>
std::vector<Wide> widen(ByteView bytes, Convert convert) {
  std::vector<Wide> values(bytes.size / sizeof(Stored));
  for (std::size_t index = 0; index < values.size(); ++index) {
    Stored stored;
    std::memcpy(&stored, bytes.data + index * sizeof(Stored), sizeof stored);
    values[index] = static_cast<Wide>(convert(stored));
  }
  return values;
}

template <typename Wide>
std::vector<Wide> widen(ElementType type, ByteView bytes) {
  const auto as_is = [](auto value) { return value; };
  switch (type) {
    case ElementType::kFloat32: return widen<Wide, float>(bytes, as_is);
    case ElementType::kFloat16: return widen<Wide, std::uint16_t>(bytes, float_from_half);
    case ElementType::kBFloat16: return widen<Wide, std::uint16_t>(bytes, float_from_bfloat16);
    case ElementType::kInt8: return widen<Wide, std::int8_t>(bytes, as_is);
    case ElementType::kUInt8: return widen<Wide, std::uint8_t>(bytes, as_is);
    case ElementType::kInt32: return widen<Wide, std::int32_t>(bytes, as_is);
    case ElementType::kInt64: return widen<Wide, std::int64_t>(bytes, as_is);
  }
  throw Error("unhandled element type");
}

template <typename Stored>
Stored saturate(double value) {
  constexpr auto kLowest = static_cast<double>(std::numeric_limits<Stored>::lowest());
  constexpr auto kHighest = static_cast<double>(std::numeric_limits<Stored>::max());
  if (std::isnan(value)) return 0;
  if (value <= kLowest) return std::numeric_limits<Stored>::lowest();
  if (value >= kHighest) return std::numeric_limits<Stored>::max();
  return static_cast<Stored>(value);
}

template <typename Stored, typename Value, typename Convert>
Tensor store(ElementType type, Shape shape, const std::vector<Value>& values, Convert convert) {
  auto stored = std::make_shared<std::vector<Stored>>(values.size());
  std::transform(values.begin(), values.end(), stored->begin(), convert);
  const ByteView bytes(stored->data(), stored->size() * sizeof(Stored));
  return Tensor::view(type, std::move(shape), bytes, std::move(stored));
}

}  // namespace

Tensor Tensor::view(ElementType type, Shape shape, ByteView bytes,
                    std::shared_ptr<const void> owner) {
  const auto count = static_cast<std::uint64_t>(element_count(shape));
  if (count != bytes.size / size_of(type) || bytes.size % size_of(type) != 0) {
    throw InputError("a " + std::string(name_of(type)) + " tensor of shape " + to_string(shape) +
                     " does not fill " + std::to_string(bytes.size) + " bytes");
  }
  Tensor tensor;
  tensor.type_ = type;
  tensor.shape_ = std::move(shape);
  tensor.bytes_ = bytes;
  tensor.owner_ = std::move(owner);
  return tensor;
}

Tensor Tensor::copy(ElementType type, Shape shape, ByteView bytes) {
  auto owned = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  const ByteView stored(owned->data(), owned->size());
  return view(type, std::move(shape), stored, std::move(owned));
}

Tensor Tensor::from_floats(Shape shape, const std::vector<float>& values) {
  return copy(ElementType::kFloat32, std::move(shape),
              {values.data(), values.size() * sizeof(float)});
}

Tensor Tensor::from_ints(ElementType type, Shape shape, const std::vector<std::int64_t>& values) {
  if (type == ElementType::kInt64) {
    return copy(type, std::move(shape), {values.data(), values.size() * sizeof(std::int64_t)});
  }
  return tensor_from_doubles(type, std::move(shape), {values.begin(), values.end()});
}

std::vector<double> Tensor::to_doubles() const { return widen<double>(type_, bytes_); }

std::vector<std::int64_t> Tensor::to_ints() const {
  if (is_floating(type_)) {
    throw InputError("expected integers, got " + std::string(name_of(type_)));
  }
  return widen<std::int64_t>(type_, bytes_);
}

Tensor Tensor::reshaped(Shape shape) const { return view(type_, std::move(shape), bytes_, owner_); }

Tensor tensor_from_doubles(ElementType type, Shape shape, const std::vector<double>& values) {
  const auto to_float = [](double value) { return static_cast<float>(value); };
  switch (type) {
    case ElementType::kFloat32: return store<float>(type, std::move(shape), values, to_float);
    case ElementType::kFloat16:
      return store<std::uint16_t>(type, std::move(shape), values,
                                  [&](double value) { return half_from_float(to_float(value)); });
    case ElementType::kBFloat16:
      return store<std::uint16_t>(type, std::move(shape), values, [&](double value) {
        return bfloat16_from_float(to_float(value));
      });
    case ElementType::kInt8:
      return store<std::int8_t>(type, std::move(shape), values, saturate<std::int8_t>);
    case ElementType::kUInt8:
      return store<std::uint8_t>(type, std::move(shape), values, saturate<std::uint8_t>);
    case ElementType::kInt32:
      return store<std::int32_t>(type, std::move(shape), values, saturate<std::int32_t>);
    case ElementType::kInt64:
      return store<std::int64_t>(type, std::move(shape), values, saturate<std::int64_t>);
  }
  throw Error("unhandled element type");
}

}  // namespace chexnet_trt
