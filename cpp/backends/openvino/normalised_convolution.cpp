#include "backends/openvino/normalised_convolution.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <openvino/core/parallel.hpp>
#include <vector>

#include "backends/openvino/joined_images.hpp"
#include "backends/openvino/level_product.hpp"

namespace chexnet_trt::openvino {
namespace {

/// What follows the images among the inputs.
constexpr std::size_t kConstants = 3;

struct Product {
  const std::int8_t* weights;
  std::size_t depth;
  ColumnScale scale;
  std::size_t columns;
};

struct alignas(64) CacheLine {
  std::array<std::uint8_t, 64> levels;
};

/// The pixels of the products `begin` ... `end`. What lies behind the channels in a row meets weights
/// of zero.
void convolve(const JoinedImages& images, const Product& by, std::size_t begin, std::size_t end,
              std::uint8_t* to) {
  // The thread's own: clearing new memory would take longer than some layers do.
  static thread_local std::vector<CacheLine> lines;
  lines.resize(std::max(lines.size(), kProductRows * by.depth / sizeof(CacheLine)));
  std::uint8_t* rows = lines.front().levels.data();
  alignas(CacheLine) std::array<std::int32_t, kProductRows * kProductColumns> sums;
  const LevelProduct product(best_product_kernel());
  for (std::size_t pixel = begin * kProductRows; begin < end; ++begin, pixel += kProductRows) {
    const std::size_t pixels = std::min(kProductRows, images.pixels() - pixel);
    images.normalise(pixel, pixels, rows, by.depth);
    for (std::size_t column = 0; column < by.columns; column += kProductColumns) {
      product.multiply(rows, by.weights + column * by.depth, by.depth, sums.data());
      store_levels(sums.data(), pixels, {by.scale.scale + column, by.scale.shift + column},
                   to + pixel * by.columns + column, by.columns);
    }
  }
}

}  // namespace

NormalisedConvolution::NormalisedConvolution(const ov::OutputVector& inputs) : Op(inputs) {
  constructor_validate_and_infer_types();
}

bool NormalisedConvolution::is_available() {
  return can_normalise_levels() && best_product_kernel() != ProductKernel::kNone;
}

void NormalisedConvolution::validate_and_infer_types() {
  NODE_VALIDATION_CHECK(this, get_input_size() > kConstants, "needs an image and three constants");
  const std::size_t images = get_input_size() - kConstants;
  ov::Shape shape = JoinedImages::shape_of(*this, images);
  const ov::Shape& weights = get_input_shape(images + 1);
  NODE_VALIDATION_CHECK(this,
                        get_input_element_type(images + 1) == ov::element::i8 &&
                            weights.size() == 2 && weights[0] % kProductColumns == 0 &&
                            weights[1] % kProductDepth == 0 && weights[1] >= shape[3],
                        "weights are i8 [O, D], O a multiple of 32, D of 64 and not below C");
  NODE_VALIDATION_CHECK(this,
                        get_input_element_type(images + 2) == ov::element::f32 &&
                            get_input_shape(images + 2) == ov::Shape({2, weights[0]}),
                        "scale and shift are f32 [2, O]");
  shape[3] = weights[0];
  set_output_type(0, ov::element::u8, shape);
}

std::shared_ptr<ov::Node> NormalisedConvolution::clone_with_new_inputs(
    const ov::OutputVector& inputs) const {
  return std::make_shared<NormalisedConvolution>(inputs);
}

bool NormalisedConvolution::visit_attributes(ov::AttributeVisitor& /*visitor*/) { return true; }

bool NormalisedConvolution::has_evaluate() const { return is_available(); }

bool NormalisedConvolution::evaluate(ov::TensorVector& outputs,
                                     const ov::TensorVector& inputs) const {
  const std::size_t images = inputs.size() - kConstants;
  const JoinedImages joined(inputs, images);
  const ov::Shape weights = inputs[images + 1].get_shape();
  const auto* scale = inputs[images + 2].data<const float>();
  const Product by{inputs[images + 1].data<const std::int8_t>(),
                   weights[1],
                   {scale, scale + weights[0]},
                   weights[0]};
  auto* levels = outputs[0].data<std::uint8_t>();
  const std::size_t products = (joined.pixels() + kProductRows - 1) / kProductRows;
  const auto threads = std::min(static_cast<std::size_t>(parallel_get_max_threads()), products);
  ov::parallel_nt_static(static_cast<int>(threads), [&](int thread, int count) {
    std::size_t begin = 0;
    std::size_t end = 0;
    ov::splitter(products, count, thread, begin, end);
    convolve(joined, by, begin, end, levels);
  });
  return true;
}

}  // namespace chexnet_trt::openvino
