#include "backends/openvino/normalised_convolution.hpp"

#include <cstdint>

#include "backends/openvino/joined_images.hpp"
#include "backends/openvino/level_storing.hpp"
#include "backends/openvino/row_products.hpp"

namespace chexnet_trt::openvino {
namespace {

/// What follows the images among the inputs.
constexpr std::size_t kConstants = 3;

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
  const std::size_t columns = weights[0];
  const auto* scale = inputs[images + 2].data<const float>();
  auto* levels = outputs[0].data<std::uint8_t>();
  const RowProducts products{joined.pixels(),
                             columns,
                             weights[1],
                             inputs[images + 1].data<const std::int8_t>(),
                             dense_rows(weights[1]),
                             kProductRows * weights[1]};
  multiply_rows(
      products,
      [&](std::size_t pixel, std::size_t pixels, std::uint8_t* to) {
        joined.normalise(pixel, pixels, to, products.depth);
      },
      [&](const std::int32_t* sums, std::size_t pixel, std::size_t pixels, std::size_t column) {
        store_levels(sums, pixels, {scale + column, scale + columns + column},
                     {levels + pixel * columns + column, columns, false});
      });
  return true;
}

}  // namespace chexnet_trt::openvino
