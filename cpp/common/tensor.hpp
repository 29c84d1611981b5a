#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/byte_view.hpp"
#include "common/element_type.hpp"
#include "common/shape.hpp"

namespace chexnet_trt {

/// An immutable dense array in C order. Copies share the bytes, which may lie in a mapped file.
class Tensor {
 public:
  Tensor() = default;

  /// Uses `bytes` in place for as long as `owner` lives. Raises InputError when the byte count is
  /// not that of `shape`.
  static Tensor view(ElementType type, Shape shape, ByteView bytes,
                     std::shared_ptr<const void> owner);
  /// Copies `bytes`.
  static Tensor copy(ElementType type, Shape shape, ByteView bytes);
  static Tensor from_floats(Shape shape, const std::vector<float>& values);
  static Tensor from_ints(ElementType type, Shape shape, const std::vector<std::int64_t>& values);

  ElementType type() const { return type_; }
  const Shape& shape() const { return shape_; }
  ByteView bytes() const { return bytes_; }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  std::int64_t size() const { return element_count(shape_); }

  /// The elements widened to double (from any type) or to int64 (integer types only, otherwise
  /// InputError).
  std::vector<double> to_doubles() const;
  std::vector<std::int64_t> to_ints() const;

  /// The same bytes under another shape with as many elements.
  Tensor reshaped(Shape shape) const;

 private:
  ElementType type_ = ElementType::kFloat32;
  Shape shape_{0};
  ByteView bytes_;
  std::shared_ptr<const void> owner_;
};

/// Rounds to nearest even and stores as `type`; integers are truncated towards zero and saturate.
/// Raises InputError when `values` does not fill `shape`.
Tensor tensor_from_doubles(ElementType type, Shape shape, const std::vector<double>& values);

}  // namespace chexnet_trt
