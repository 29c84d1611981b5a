#include "backends/backend.hpp"

#include <array>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

constexpr std::array<std::string_view, 5> kPrecisionNames{"fp32", "fp16", "bf16", "int8", "mixed"};

}  // namespace

std::string_view name_of(Precision precision) {
  return kPrecisionNames.at(static_cast<std::size_t>(precision));
}

Precision precision_from_name(std::string_view name) {
  for (std::size_t index = 0; index < kPrecisionNames.size(); ++index) {
    if (kPrecisionNames[index] == name) return static_cast<Precision>(index);
  }
  throw InputError("unknown precision '" + std::string(name) +
                   "': fp32, fp16, bf16, int8 or mixed");
}

}  // namespace chexnet_trt
