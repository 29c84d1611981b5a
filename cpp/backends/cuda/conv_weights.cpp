#include "backends/cuda/conv_weights.hpp"

#include <cstring>
#include <vector>

namespace chexnet_trt::cuda {
namespace {

constexpr std::size_t kWord = 16;

/// A tensor of `shape` whose element i is element `source(i)` of `tensor`; -1: zero.
template <typename Source>
Tensor gathered(const Tensor& tensor, Shape shape, Source source) {
  const std::size_t width = size_of(tensor.type());
  std::vector<std::byte> bytes(static_cast<std::size_t>(element_count(shape)) * width);
  for (std::size_t i = 0; i < bytes.size() / width; ++i) {
    const std::int64_t from = source(static_cast<std::int64_t>(i));
    if (from < 0) continue;
    std::memcpy(bytes.data() + i * width,
                tensor.bytes().data + static_cast<std::size_t>(from) * width, width);
  }
  return Tensor::copy(tensor.type(), std::move(shape), {bytes.data(), bytes.size()});
}

}  // namespace

Tensor out_channels_first(const Tensor& weights) {
  const Shape& shape = weights.shape();
  const std::int64_t outs = shape[3];
  const std::int64_t taps = shape[0] * shape[1] * shape[2];
  return gathered(weights, {outs, shape[0], shape[1], shape[2]},
                  [=](std::int64_t i) { return i % taps * outs + i / taps; });
}

Tensor transposed_out_channels_first(const Tensor& weights) {
  const Shape& shape = weights.shape();
  const std::int64_t taps = shape[0] * shape[1];
  const std::int64_t outs = shape[2];
  const std::int64_t ins = shape[3];
  return gathered(weights, {outs, shape[0], shape[1], ins}, [=](std::int64_t i) {
    return (i / ins % taps * outs + i / (ins * taps)) * ins + i % ins;
  });
}

Tensor over_blocks(const Tensor& weights) {
  const Shape& shape = weights.shape();
  const std::int64_t height = shape[1];
  const std::int64_t width = shape[2];
  const std::int64_t ins = shape[3];
  const Shape blocks{shape[0], (height + 1) / 2, (width + 1) / 2, 4 * ins};
  return gathered(weights, blocks, [&, rows = blocks[1], columns = blocks[2]](std::int64_t i) {
    const std::int64_t in = i % ins;
    const std::int64_t dx = i / ins % 2;
    const std::int64_t dy = i / (2 * ins) % 2;
    const std::int64_t x = i / (4 * ins) % columns * 2 + dx;
    const std::int64_t y = i / (4 * ins * columns) % rows * 2 + dy;
    const std::int64_t out = i / (4 * ins * columns * rows);
    if (x >= width || y >= height) return std::int64_t{-1};
    return ((out * height + y) * width + x) * ins + in;
  });
}

ElementType weight_element(ElementType element) {
  return element == ElementType::kUInt8 ? ElementType::kInt8 : element;
}

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

}  // namespace chexnet_trt::cuda
