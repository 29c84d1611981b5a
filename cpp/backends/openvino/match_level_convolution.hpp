#pragma once

#include <optional>
#include <vector>

#include "backends/openvino/lowering.hpp"

namespace chexnet_trt::openvino {

/// y = quantize(relu(a * (conv2d(x, w) + b + added) + c)) with x and w in 8 bits, each step but the
/// convolution optional and read by nothing else; a, b and c hold one value a channel. `added` is
/// stored in int8.
struct LevelConvolutionMatch {
  /// scale * x + shift, by channel.
  struct Affine {
    std::vector<double> scale;
    std::vector<double> shift;
  };

  const Node* conv = nullptr;
  /// From the sums of products of levels to the steps of what is stored.
  Affine affine;
  /// -1 where nothing is added.
  NodeId added = -1;
  /// The same of its levels.
  std::vector<double> added_scale;
};

/// What `quantize` stores, when LevelConvolution computes it.
std::optional<LevelConvolutionMatch> match_level_convolution(const LoweringContext& context,
                                                             const Node& quantize);

}  // namespace chexnet_trt::openvino
