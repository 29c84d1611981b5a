#include "backends/openvino/joined_images.hpp"

#include <algorithm>

namespace chexnet_trt::openvino {

ov::Shape JoinedImages::shape_of(const ov::Node& op, std::size_t images) {
  ov::Shape shape = op.get_input_shape(0);
  NODE_VALIDATION_CHECK(&op, shape.size() == 4, "images are [N, H, W, C]");
  shape[3] = 0;
  for (std::size_t i = 0; i < images; ++i) {
    const ov::Shape& image = op.get_input_shape(i);
    NODE_VALIDATION_CHECK(&op, op.get_input_element_type(i) == ov::element::i8, "images are i8");
    NODE_VALIDATION_CHECK(
        &op, image.size() == 4 && std::equal(image.begin(), image.begin() + 3, shape.begin()),
        "images differ in their channels alone");
    shape[3] += image[3];
  }
  NODE_VALIDATION_CHECK(&op,
                        op.get_input_element_type(images) == ov::element::f32 &&
                            op.get_input_shape(images) == ov::Shape({2, shape[3]}),
                        "scale and shift are f32 [2, channels]");
  return shape;
}

JoinedImages::JoinedImages(const ov::TensorVector& inputs, std::size_t images)
    : channels_(inputs[images].get_shape()[1]) {
  const auto* scale = inputs[images].data<const float>();
  by_ = {scale, scale + channels_};
  const ov::Shape first = inputs[0].get_shape();
  pixels_ = first[0] * first[1] * first[2];
  images_.reserve(images);
  for (std::size_t i = 0; i < images; ++i) {
    images_.push_back({inputs[i].data<const std::int8_t>(), inputs[i].get_size() / pixels_});
  }
}

void JoinedImages::normalise(std::size_t pixel, std::size_t pixels, std::uint8_t* to,
                             std::size_t stride) const {
  std::size_t first = 0;
  for (const Image& image : images_) {
    normalise_levels(image.levels + pixel * image.channels, pixels, image.channels,
                     {by_.scale + first, by_.shift + first}, to + first, stride);
    first += image.channels;
  }
}

}  // namespace chexnet_trt::openvino
