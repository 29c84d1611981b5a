#include "backends/cuda/device_constants.hpp"

#include <cstring>

#include "backends/cuda/unit_affine.hpp"

namespace chexnet_trt::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kWord = 16;

/// The element that a convolution multiplies by an input of `element`.
ElementType weight_element(ElementType element) {
  return element == ElementType::kUInt8 ? ElementType::kInt8 : element;
}

std::vector<std::byte> packed_floats(const std::vector<double>& values) {
  const std::vector<float> floats(values.begin(), values.end());
  const auto* bytes = reinterpret_cast<const std::byte*>(floats.data());
  return {bytes, bytes + floats.size() * sizeof(float)};
}

/// As the kernel of `step` reads them; empty when it has none.
std::vector<std::byte> weights_of(const Program& program, const Step& step) {
  if (const auto* dense = std::get_if<DenseStep>(&step.kind)) {
    const ByteView bytes = dense->weights.bytes();
    return {bytes.begin(), bytes.end()};
  }
  if (const auto* grouped = std::get_if<GroupedConvStep>(&step.kind)) {
    return packed_floats(grouped->weights.to_doubles());
  }
  if (const auto* transposed = std::get_if<TransposedConvStep>(&step.kind)) {
    return packed_floats(transposed->weights.to_doubles());
  }
  if (const auto* pair = std::get_if<PairStep>(&step.kind)) {
    return packed_floats({pair->per_channel.begin(), pair->per_channel.end()});
  }
  const auto* conv = std::get_if<ConvStep>(&step.kind);
  if (conv == nullptr) return {};
  const Value& input = program.values.at(static_cast<std::size_t>(conv->input));
  return packed_weights(conv->weights, weight_element(input.element));
}

}  // namespace

std::vector<std::byte> packed_weights(const Tensor& weights, ElementType element) {
  const Tensor cast = weights.type() == element
                          ? weights
                          : tensor_from_doubles(element, weights.shape(), weights.to_doubles());
  const std::size_t row = static_cast<std::size_t>(weights.shape().back()) * size_of(element);
  const std::size_t padded = (row + kWord - 1) / kWord * kWord;
  const std::size_t rows = cast.bytes().size / row;
  std::vector<std::byte> result(rows * padded);
  for (std::size_t i = 0; i < rows; ++i) {
    std::memcpy(result.data() + i * padded, cast.bytes().data + i * row, row);
  }
  return result;
}

PackedConstants::PackedConstants(const Program& program) {
  for (const Step& step : program.steps) {
    const Epilogue& epilogue = step.epilogue;
    const std::vector<std::byte> weights = weights_of(program, step);
    steps_.push_back({add(weights.data(), weights.size()), add(epilogue.affine.mul),
                      add(epilogue.affine.add), add(epilogue.second_affine.mul),
                      add(epilogue.second_affine.add), add(unit_affine(program, step))});
  }
}

std::size_t PackedConstants::add(const void* data, std::size_t size) {
  if (size == 0) return kNone;
  const std::size_t offset = (bytes_.size() + kAlignment - 1) / kAlignment * kAlignment;
  bytes_.resize(offset + size);
  std::memcpy(bytes_.data() + offset, data, size);
  return offset;
}

std::size_t PackedConstants::add(const std::vector<float>& values) {
  return add(values.data(), values.size() * sizeof(float));
}

DeviceConstants::DeviceConstants(const PackedConstants& packed)
    : memory_(packed.bytes().size(), "the weights") {
  check(cudaMemcpy(memory_.data(), packed.bytes().data(), packed.bytes().size(),
                   cudaMemcpyHostToDevice),
        "copying the weights");
  const auto at = [&](std::size_t offset) {
    return offset == PackedConstants::kNone ? nullptr : memory_.data() + offset;
  };
  const auto floats_at = [&](std::size_t offset) {
    return reinterpret_cast<const float*>(at(offset));
  };
  for (const PackedConstants::Offsets& own : packed.steps()) {
    steps_.push_back({at(own.weights), floats_at(own.mul), floats_at(own.add),
                      floats_at(own.second_mul), floats_at(own.second_add), floats_at(own.units)});
  }
}

}  // namespace chexnet_trt::cuda
