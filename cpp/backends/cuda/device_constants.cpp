#include "backends/cuda/device_constants.hpp"

#include <cstring>
#include <limits>

#include "backends/cuda/back_to_back.hpp"
#include "backends/cuda/conv_weights.hpp"
#include "backends/cuda/unit_affine.hpp"

namespace chexnet_trt::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

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

Epilogue prologue_of(const Step& step) {
  const auto* conv = std::get_if<ConvStep>(&step.kind);
  return conv != nullptr ? conv->prologue.value_or(Epilogue()) : Epilogue();
}

}  // namespace

PackedConstants::PackedConstants(const Program& program) {
  for (std::size_t index = 0; index < program.steps.size(); ++index) {
    const Step& step = program.steps[index];
    const BackToBack* pair = back_to_back_at(program, index);
    steps_.push_back({add(weights_of(program, step)),
                      add(step.epilogue, unit_affine(program, step)),
                      add(prologue_of(step), prologue_affine(program, step)),
                      pair == nullptr ? kNone : add(back_to_back_image(program, *pair))});
  }
}

StepConstants PackedConstants::of(std::size_t step, const std::byte* base) const {
  const auto at = [&](std::size_t offset) { return offset == kNone ? nullptr : base + offset; };
  const auto floats_at = [&](std::size_t offset) {
    return reinterpret_cast<const float*>(at(offset));
  };
  const auto epilogue_at = [&](const EpilogueOffsets& own) {
    return EpilogueConstants{floats_at(own.mul), floats_at(own.add), floats_at(own.second_mul),
                             floats_at(own.second_add), floats_at(own.units)};
  };
  const StepOffsets& own = steps_.at(step);
  return {at(own.weights), epilogue_at(own.epilogue), epilogue_at(own.prologue),
          at(own.back_to_back)};
}

std::size_t PackedConstants::add(const void* data, std::size_t size) {
  if (size == 0) return kNone;
  const std::size_t offset = (bytes_.size() + kAlignment - 1) / kAlignment * kAlignment;
  bytes_.resize(offset + size);
  std::memcpy(bytes_.data() + offset, data, size);
  return offset;
}

std::size_t PackedConstants::add(const std::vector<std::byte>& bytes) {
  return add(bytes.data(), bytes.size());
}

std::size_t PackedConstants::add(const std::vector<float>& values) {
  return add(values.data(), values.size() * sizeof(float));
}

PackedConstants::EpilogueOffsets PackedConstants::add(const Epilogue& epilogue,
                                                      const std::vector<float>& units) {
  return {add(epilogue.affine.mul), add(epilogue.affine.add), add(epilogue.second_affine.mul),
          add(epilogue.second_affine.add), add(units)};
}

DeviceConstants::DeviceConstants(const PackedConstants& packed)
    : memory_(packed.bytes().size(), "the weights") {
  check(cudaMemcpy(memory_.data(), packed.bytes().data(), packed.bytes().size(),
                   cudaMemcpyHostToDevice),
        "copying the weights");
  for (std::size_t step = 0; step < packed.steps(); ++step) {
    steps_.push_back(packed.of(step, memory_.data()));
  }
}

}  // namespace chexnet_trt::cuda
