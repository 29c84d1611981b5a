#pragma once

#include <cstddef>
#include <string_view>

namespace chexnet_trt {

enum class ElementType { kFloat32, kFloat16, kBFloat16, kInt8, kUInt8, kInt32, kInt64 };

/// Bytes per element.
std::size_t size_of(ElementType type);

/// "float32", "float16", "bfloat16", "int8", "uint8", "int32" or "int64" (NumPy's names).
std::string_view name_of(ElementType type);

/// Inverse of `name_of`. Raises InputError on any other name.
ElementType element_type_from_name(std::string_view name);

bool is_floating(ElementType type);

}  // namespace chexnet_trt
