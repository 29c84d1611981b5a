#include "backends/openvino/level_convolution.hpp"

#include <cstdint>
#include <utility>

#include "backends/openvino/level_storing.hpp"
#include "backends/openvino/normalise_levels.hpp"
#include "backends/openvino/row_products.hpp"
#include "backends/openvino/window_rows.hpp"

namespace chexnet_trt::openvino {
namespace {

constexpr std::size_t kWeights = 1;
constexpr std::size_t kScales = 2;
constexpr std::size_t kAdded = 3;

}  // namespace

LevelConvolution::LevelConvolution(const ov::OutputVector& inputs, Attributes attributes)
    : Op(inputs), attributes_(std::move(attributes)) {
  constructor_validate_and_infer_types();
}

bool LevelConvolution::pays() { return best_product_kernel() == ProductKernel::kAmx; }

bool LevelConvolution::is_available() {
  return can_normalise_levels() && best_product_kernel() != ProductKernel::kNone;
}

std::size_t LevelConvolution::places_along(std::size_t axis, std::size_t size) const {
  const std::size_t stride = attributes_.strides[axis];
  const auto pads =
      static_cast<std::size_t>(attributes_.pads_begin[axis] + attributes_.pads_end[axis]);
  const std::size_t window = axis == 0 ? attributes_.window[0] : attributes_.window[1];
  NODE_VALIDATION_CHECK(this, stride > 0 && size + pads >= window,
                        "the window lies within the padded image");
  return (size + pads - window) / stride + 1;
}

void LevelConvolution::check_attributes() const {
  const Attributes& a = attributes_;
  NODE_VALIDATION_CHECK(this,
                        a.window.size() == 2 && a.strides.size() == 2 && a.pads_begin.size() == 2 &&
                            a.pads_end.size() == 2,
                        "window, strides and pads are of rows and columns");
  for (const ov::CoordinateDiff& pads : {a.pads_begin, a.pads_end}) {
    NODE_VALIDATION_CHECK(this, pads[0] >= 0 && pads[1] >= 0, "pads are not negative");
  }
  NODE_VALIDATION_CHECK(this, a.levels == ov::element::u8 || a.levels == ov::element::i8,
                        "levels are stored as u8 or i8");
}

void LevelConvolution::validate_and_infer_types() {
  NODE_VALIDATION_CHECK(this, get_input_size() > kScales, "needs levels, weights and scales");
  check_attributes();
  const ov::Shape& image = get_input_shape(0);
  NODE_VALIDATION_CHECK(this, get_input_element_type(0) == ov::element::u8 && image.size() == 4,
                        "the image is u8 [N, H, W, C]");
  const ov::Shape& weights = get_input_shape(kWeights);
  const std::size_t depth = attributes_.window[0] * attributes_.window[1] * image[3];
  NODE_VALIDATION_CHECK(
      this,
      get_input_element_type(kWeights) == ov::element::i8 && weights.size() == 2 &&
          weights[0] % kProductColumns == 0 && weights[1] % kProductDepth == 0 &&
          weights[1] >= depth,
      "weights are i8 [O, D], O a multiple of 32, D of 64 and not below a window");
  const ov::Shape& scales = get_input_shape(kScales);
  NODE_VALIDATION_CHECK(this,
                        get_input_element_type(kScales) == ov::element::f32 && scales.size() == 2 &&
                            (scales[0] == 2 || scales[0] == 3) && scales[1] == weights[0],
                        "scales are f32 [2 or 3, O]");
  const ov::Shape shape{image[0], places_along(0, image[1]), places_along(1, image[2]), weights[0]};
  NODE_VALIDATION_CHECK(
      this,
      scales[0] == 2 || (get_input_size() > kAdded && get_input_shape(kAdded) == shape &&
                         get_input_element_type(kAdded) == ov::element::i8),
      "what is added is i8 in the output's shape");
  set_output_type(0, attributes_.levels, shape);
}

std::shared_ptr<ov::Node> LevelConvolution::clone_with_new_inputs(
    const ov::OutputVector& inputs) const {
  return std::make_shared<LevelConvolution>(inputs, attributes_);
}

bool LevelConvolution::visit_attributes(ov::AttributeVisitor& visitor) {
  visitor.on_attribute("window", attributes_.window);
  visitor.on_attribute("strides", attributes_.strides);
  visitor.on_attribute("pads_begin", attributes_.pads_begin);
  visitor.on_attribute("pads_end", attributes_.pads_end);
  visitor.on_attribute("levels", attributes_.levels);
  return true;
}

bool LevelConvolution::has_evaluate() const { return is_available(); }

bool LevelConvolution::evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const {
  const ov::Shape shape = outputs[0].get_shape();
  const Window window{{attributes_.window[0], attributes_.window[1]},
                      {attributes_.strides[0], attributes_.strides[1]},
                      {static_cast<std::size_t>(attributes_.pads_begin[0]),
                       static_cast<std::size_t>(attributes_.pads_begin[1])}};
  const WindowRows rows(inputs[0].data<const std::uint8_t>(), inputs[0].get_shape(), window, shape,
                        inputs[kWeights].get_shape()[1]);
  const ov::Shape weights = inputs[kWeights].get_shape();
  const RowProducts products{shape[0] * shape[1] * shape[2],
                             weights[0],
                             weights[1],
                             inputs[kWeights].data<const std::int8_t>(),
                             rows.layout(),
                             rows.block()};
  const std::size_t columns = products.columns;
  const auto* scale = inputs[kScales].data<const float>();
  const bool adds = inputs[kScales].get_shape()[0] == 3;
  const auto* added = adds ? inputs[kAdded].data<const std::int8_t>() : nullptr;
  auto* levels = static_cast<std::uint8_t*>(outputs[0].data());
  const bool is_signed = attributes_.levels == ov::element::i8;
  multiply_rows(
      products,
      [&](std::size_t place, std::size_t places, std::uint8_t* to) {
        rows.copy(place, places, to);
      },
      [&](const std::int32_t* sums, std::size_t place, std::size_t places, std::size_t column) {
        const ColumnScale by{scale + column, scale + columns + column};
        const std::size_t first = place * columns + column;
        const StoredLevels to{levels + first, columns, is_signed};
        if (added == nullptr) {
          store_levels(sums, places, by, to);
        } else {
          store_levels(sums, places, by, {added + first, columns, scale + 2 * columns + column},
                       to);
        }
      });
  return true;
}

}  // namespace chexnet_trt::openvino
