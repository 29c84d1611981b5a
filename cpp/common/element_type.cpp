#include "common/element_type.hpp"

#include <array>
#include <string>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

struct TypeRow {
  ElementType type;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<TypeRow, 7> kTypes{{{ElementType::kFloat32, "float32", 4},
                                         {ElementType::kFloat16, "float16", 2},
                                         {ElementType::kBFloat16, "bfloat16", 2},
                                         {ElementType::kInt8, "int8", 1},
                                         {ElementType::kUInt8, "uint8", 1},
                                         {ElementType::kInt32, "int32", 4},
                                         {ElementType::kInt64, "int64", 8}}};

const TypeRow& row(ElementType type) { return kTypes.at(static_cast<std::size_t>(type)); }

}  // namespace

std::size_t size_of(ElementType type) { return row(type).size; }

std::string_view name_of(ElementType type) { return row(type).name; }

ElementType element_type_from_name(std::string_view name) {
  for (const TypeRow& candidate : kTypes) {
    if (candidate.name == name) return candidate.type;
  }
  throw InputError("unknown element type '" + std::string(name) + "'");
}

bool is_floating(ElementType type) {
  return type == ElementType::kFloat32 || type == ElementType::kFloat16 ||
         type == ElementType::kBFloat16;
}

}  // namespace chexnet_trt
