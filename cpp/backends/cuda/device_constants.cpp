#include "backends/cuda/device_constants.hpp"

#include <cstring>
#include <limits>

namespace chexnet_trt::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kWord = 16;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// Gathers pieces on the host, each at a multiple of kAlignment.
class Pieces {
 public:
  /// The offset of the piece; kNone when it is empty.
  std::size_t add(const void* data, std::size_t size) {
    if (size == 0) return kNone;
    const std::size_t offset = (bytes_.size() + kAlignment - 1) / kAlignment * kAlignment;
    bytes_.resize(offset + size);
    std::memcpy(bytes_.data() + offset, data, size);
    return offset;
  }
  std::size_t add(const std::vector<float>& values) {
    return add(values.data(), values.size() * sizeof(float));
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// The element that a convolution multiplies by an input of `element`.
ElementType weight_element(ElementType element) {
  return element == ElementType::kUInt8 ? ElementType::kInt8 : element;
}

std::size_t add_weights(Pieces& pieces, const Program& program, const Step& step) {
  if (const auto* dense = std::get_if<DenseStep>(&step.kind)) {
    return pieces.add(dense->weights.bytes().data, dense->weights.bytes().size);
  }
  const auto* conv = std::get_if<ConvStep>(&step.kind);
  if (conv == nullptr) return kNone;
  const Value& input = program.values.at(static_cast<std::size_t>(conv->input));
  const std::vector<std::byte> packed =
      packed_weights(conv->weights, weight_element(input.element));
  return pieces.add(packed.data(), packed.size());
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

DeviceConstants::DeviceConstants(const Program& program) {
  struct Offsets {
    std::size_t weights, mul, add, second_mul, second_add;
  };
  Pieces pieces;
  std::vector<Offsets> offsets;
  for (const Step& step : program.steps) {
    const Epilogue& epilogue = step.epilogue;
    const std::size_t weights = add_weights(pieces, program, step);
    const std::size_t mul = pieces.add(epilogue.affine.mul);
    const std::size_t add = pieces.add(epilogue.affine.add);
    const std::size_t second_mul = pieces.add(epilogue.second_affine.mul);
    offsets.push_back({weights, mul, add, second_mul, pieces.add(epilogue.second_affine.add)});
  }
  memory_ = DeviceBuffer(pieces.bytes().size(), "the weights");
  check(cudaMemcpy(memory_.data(), pieces.bytes().data(), pieces.bytes().size(),
                   cudaMemcpyHostToDevice),
        "copying the weights");
  const auto at = [&](std::size_t offset) {
    return offset == kNone ? nullptr : memory_.data() + offset;
  };
  const auto floats_at = [&](std::size_t offset) {
    return reinterpret_cast<const float*>(at(offset));
  };
  for (const Offsets& own : offsets) {
    steps_.push_back({at(own.weights), floats_at(own.mul), floats_at(own.add),
                      floats_at(own.second_mul), floats_at(own.second_add)});
  }
}

}  // namespace chexnet_trt::cuda
