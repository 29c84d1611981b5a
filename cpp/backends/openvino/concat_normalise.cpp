#include "backends/openvino/concat_normalise.hpp"

#include <algorithm>
#include <cstdint>
#include <openvino/core/parallel.hpp>

#include "backends/openvino/normalise_levels.hpp"

namespace chexnet_trt::openvino {
namespace {

/// What is written between two turns of the images: it stays in the second-level cache, and what is
/// read of each image is long enough to be fetched ahead.
constexpr std::size_t kTileBytes = 65536;
/// Less than this is not worth another thread.
constexpr std::size_t kThreadBytes = 16384;

struct Image {
  const std::int8_t* levels;
  std::size_t channels;
};

struct Work {
  std::vector<Image> images;
  ChannelNormalisation by;
  std::uint8_t* to;
  std::size_t channels;
};

void normalise_pixels(const Work& work, std::size_t begin, std::size_t end) {
  const std::size_t tile = std::max<std::size_t>(1, kTileBytes / work.channels);
  for (std::size_t pixel = begin; pixel < end; pixel += tile) {
    const std::size_t pixels = std::min(tile, end - pixel);
    std::size_t first = 0;
    for (const Image& image : work.images) {
      normalise_levels(image.levels + pixel * image.channels, pixels, image.channels,
                       {work.by.scale + first, work.by.shift + first},
                       work.to + pixel * work.channels + first, work.channels);
      first += image.channels;
    }
  }
}

}  // namespace

ConcatNormalise::ConcatNormalise(const ov::OutputVector& inputs) : Op(inputs) {
  constructor_validate_and_infer_types();
}

bool ConcatNormalise::is_available() { return can_normalise_levels(); }

void ConcatNormalise::validate_and_infer_types() {
  NODE_VALIDATION_CHECK(this, get_input_size() > 1, "needs an image and the normalisation");
  const std::size_t images = get_input_size() - 1;
  ov::Shape shape = get_input_shape(0);
  NODE_VALIDATION_CHECK(this, shape.size() == 4, "images are [N, H, W, C]");
  shape[3] = 0;
  for (std::size_t i = 0; i < images; ++i) {
    const ov::Shape& image = get_input_shape(i);
    NODE_VALIDATION_CHECK(this, get_input_element_type(i) == ov::element::i8, "images are i8");
    NODE_VALIDATION_CHECK(
        this, image.size() == 4 && std::equal(image.begin(), image.begin() + 3, shape.begin()),
        "images differ in their channels alone");
    shape[3] += image[3];
  }
  const ov::Shape normalisation{2, shape[3]};
  NODE_VALIDATION_CHECK(this,
                        get_input_element_type(images) == ov::element::f32 &&
                            get_input_shape(images) == normalisation,
                        "scale and shift are f32 [2, channels]");
  set_output_type(0, ov::element::u8, shape);
}

std::shared_ptr<ov::Node> ConcatNormalise::clone_with_new_inputs(
    const ov::OutputVector& inputs) const {
  return std::make_shared<ConcatNormalise>(inputs);
}

bool ConcatNormalise::visit_attributes(ov::AttributeVisitor& /*visitor*/) { return true; }

bool ConcatNormalise::has_evaluate() const { return is_available(); }

bool ConcatNormalise::evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const {
  const std::size_t images = inputs.size() - 1;
  const std::size_t channels = outputs[0].get_shape()[3];
  const auto* scale = inputs[images].data<const float>();
  Work work{{}, {scale, scale + channels}, outputs[0].data<std::uint8_t>(), channels};
  work.images.reserve(images);
  for (std::size_t i = 0; i < images; ++i) {
    work.images.push_back({inputs[i].data<const std::int8_t>(), inputs[i].get_shape()[3]});
  }
  const std::size_t pixels = outputs[0].get_size() / channels;
  const std::size_t useful = std::max<std::size_t>(1, outputs[0].get_size() / kThreadBytes);
  const auto threads = std::min(static_cast<std::size_t>(parallel_get_max_threads()), useful);
  ov::parallel_nt_static(static_cast<int>(threads), [&](int thread, int count) {
    std::size_t begin = 0;
    std::size_t end = 0;
    ov::splitter(pixels, count, thread, begin, end);
    normalise_pixels(work, begin, end);
  });
  return true;
}

}  // namespace chexnet_trt::openvino
