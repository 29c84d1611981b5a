#include "backends/openvino/concat_normalise.hpp"

#include <algorithm>
#include <cstdint>
#include <openvino/core/parallel.hpp>

#include "backends/openvino/joined_images.hpp"

namespace chexnet_trt::openvino {
namespace {

/// What is written between two turns of the images: it stays in the second-level cache, and what is
/// read of each image is long enough to be fetched ahead.
constexpr std::size_t kTileBytes = 65536;
/// Less than this is not worth another thread.
constexpr std::size_t kThreadBytes = 16384;

}  // namespace

ConcatNormalise::ConcatNormalise(const ov::OutputVector& inputs) : Op(inputs) {
  constructor_validate_and_infer_types();
}

bool ConcatNormalise::is_available() { return can_normalise_levels(); }

void ConcatNormalise::validate_and_infer_types() {
  NODE_VALIDATION_CHECK(this, get_input_size() > 1, "needs an image and the normalisation");
  set_output_type(0, ov::element::u8, JoinedImages::shape_of(*this, get_input_size() - 1));
}

std::shared_ptr<ov::Node> ConcatNormalise::clone_with_new_inputs(
    const ov::OutputVector& inputs) const {
  return std::make_shared<ConcatNormalise>(inputs);
}

bool ConcatNormalise::visit_attributes(ov::AttributeVisitor& /*visitor*/) { return true; }

bool ConcatNormalise::has_evaluate() const { return is_available(); }

bool ConcatNormalise::evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const {
  const JoinedImages images(inputs, inputs.size() - 1);
  const std::size_t channels = images.channels();
  auto* levels = outputs[0].data<std::uint8_t>();
  const std::size_t tile = std::max<std::size_t>(1, kTileBytes / channels);
  const std::size_t useful = std::max<std::size_t>(1, outputs[0].get_size() / kThreadBytes);
  const auto threads = std::min(static_cast<std::size_t>(parallel_get_max_threads()), useful);
  ov::parallel_nt_static(static_cast<int>(threads), [&](int thread, int count) {
    std::size_t begin = 0;
    std::size_t end = 0;
    ov::splitter(images.pixels(), count, thread, begin, end);
    for (; begin < end; begin += tile) {
      images.normalise(begin, std::min(tile, end - begin), levels + begin * channels, channels);
    }
  });
  return true;
}

}  // namespace chexnet_trt::openvino
