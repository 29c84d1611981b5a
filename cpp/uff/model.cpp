#include "uff/model.hpp"

#include "common/error.hpp"

namespace chexnet_trt::uff {

const Data* find(const Fields& fields, std::string_view name) {
  for (const auto& [key, data] : fields) {
    if (key == name) return &data;
  }
  return nullptr;
}

const Data& resolve(const MetaGraph& meta, const Data& data) {
  constexpr int kMaxDepth = 16;
  const Data* current = &data;
  for (int depth = 0; depth <= kMaxDepth; ++depth) {
    const auto* reference = std::get_if<Reference>(current);
    if (reference == nullptr) return *current;
    current = find(meta.referenced_data, reference->key);
    if (current == nullptr) {
      throw InputError("the file refers to '" + std::string(reference->key) +
                       "', which its referenced data does not hold; convert the model again");
    }
  }
  throw InputError("the references of the file lead in a circle; convert the model again");
}

}  // namespace chexnet_trt::uff
