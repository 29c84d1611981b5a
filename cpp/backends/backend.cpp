#include "backends/backend.hpp"

#include <array>
#include <cstring>
#include <new>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

constexpr std::array<std::string_view, 5> kPrecisionNames{"fp32", "fp16", "bf16", "int8", "mixed"};
constexpr std::align_val_t kHostAlignment{64};

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

std::shared_ptr<std::byte> Backend::allocate_host(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new(bytes, kHostAlignment));
  std::memset(memory, 0, bytes);
  return {memory, [](std::byte* held) { ::operator delete(held, kHostAlignment); }};
}

}  // namespace chexnet_trt
