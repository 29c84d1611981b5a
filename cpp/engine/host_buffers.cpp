#include "engine/host_buffers.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include "common/error.hpp"
#include "common/half.hpp"

namespace chexnet_trt {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t aligned(std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

template <typename Element, typename Make>
void fill(std::byte* to, std::size_t size, Make make) {
  for (std::size_t at = 0; at < size; at += sizeof(Element)) {
    const Element element = make();
    std::memcpy(to + at, &element, sizeof element);
  }
}

void fill_randomly(ElementType type, std::byte* to, std::size_t size, std::mt19937_64& random) {
  std::uniform_real_distribution<float> real(-1, 1);
  const auto bit = [&] { return random() & 1U; };
  switch (type) {
    case ElementType::kFloat32: return fill<float>(to, size, [&] { return real(random); });
    case ElementType::kFloat16:
      return fill<std::uint16_t>(to, size, [&] { return half_from_float(real(random)); });
    case ElementType::kBFloat16:
      return fill<std::uint16_t>(to, size, [&] { return bfloat16_from_float(real(random)); });
    case ElementType::kInt8:
    case ElementType::kUInt8:
      return fill<std::uint8_t>(to, size, [&] { return static_cast<std::uint8_t>(random()); });
    case ElementType::kInt32:
      return fill<std::int32_t>(to, size, [&] { return static_cast<std::int32_t>(bit()); });
    case ElementType::kInt64:
      return fill<std::int64_t>(to, size, [&] { return static_cast<std::int64_t>(bit()); });
  }
}

}  // namespace

HostBuffers::HostBuffers(const std::vector<TensorInfo>& inputs,
                         const std::vector<TensorInfo>& outputs, std::int64_t batch,
                         Backend& backend)
    : inputs_(inputs), batch_(batch) {
  std::vector<std::size_t> sizes;
  sizes.reserve(inputs.size() + outputs.size());
  for (const TensorInfo& info : inputs) sizes.push_back(byte_count(info, batch));
  for (const TensorInfo& info : outputs) sizes.push_back(byte_count(info, batch));
  std::size_t total = 0;
  for (const std::size_t size : sizes) total += aligned(size);
  storage_ = backend.allocate_host(total);
  std::size_t offset = 0;
  for (const std::size_t size : sizes) {
    views_.emplace_back(storage_.get() + offset, size);
    offset += aligned(size);
  }
}

std::vector<Binding> HostBuffers::bindings() const {
  std::vector<Binding> bindings;
  bindings.reserve(views_.size());
  for (std::size_t index = 0; index < views_.size(); ++index) bindings.push_back({data(index)});
  return bindings;
}

void HostBuffers::set_input(std::size_t index, ByteView bytes) {
  if (bytes.size != input(index).size) {
    const TensorInfo& info = inputs_.at(index);
    throw InputError("input '" + info.name + "' takes " + std::to_string(input(index).size) +
                     " bytes (" + std::string(name_of(info.element)) + " " +
                     to_string(with_batch(info.shape, batch_)) + "), got " +
                     std::to_string(bytes.size));
  }
  std::copy(bytes.begin(), bytes.end(), data(index));
}

void HostBuffers::fill_inputs_randomly(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t index = 0; index < inputs_.size(); ++index) {
    fill_randomly(inputs_[index].element, data(index), views_[index].size, random);
  }
}

std::byte* HostBuffers::data(std::size_t index) const {
  return const_cast<std::byte*>(views_.at(index).data);
}

}  // namespace chexnet_trt
