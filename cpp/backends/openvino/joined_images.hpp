#pragma once

#include <cstddef>
#include <cstdint>
#include <openvino/core/node.hpp>
#include <openvino/runtime/tensor.hpp>
#include <vector>

#include "backends/openvino/normalise_levels.hpp"

namespace chexnet_trt::openvino {

/// The images that an op of ours joins: its first inputs, i8 [N, H, W, C_0], [N, H, W, C_1] ..., and
/// behind them the normalisation of their channels, f32 [2, C_0 + C_1 + ...]: scale and shift.
class JoinedImages {
 public:
  /// [N, H, W, C_0 + C_1 + ...] of the first `images` inputs of `op`; raises ov::NodeValidationFailure
  /// when they, or the normalisation, are not as above.
  static ov::Shape shape_of(const ov::Node& op, std::size_t images);

  /// The same `inputs` with their values, which must outlive this.
  JoinedImages(const ov::TensorVector& inputs, std::size_t images);

  std::size_t pixels() const { return pixels_; }
  std::size_t channels() const { return channels_; }

  /// Normalises (normalise_levels.hpp) the channels of `pixels` pixels from `pixel` on; those of a
  /// pixel begin `stride` levels after those of the one before.
  void normalise(std::size_t pixel, std::size_t pixels, std::uint8_t* to, std::size_t stride) const;

 private:
  struct Image {
    const std::int8_t* levels;
    std::size_t channels;
  };

  std::vector<Image> images_;
  std::size_t pixels_;
  std::size_t channels_;
  ChannelNormalisation by_;
};

}  // namespace chexnet_trt::openvino
