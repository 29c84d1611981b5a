#pragma once

#include <map>
#include <openvino/core/node_output.hpp>
#include <optional>

namespace chexnet_trt::openvino {

/// What is stored of an image: i8 or u8 levels in steps of `scale`, as NCHW and as NHWC.
struct StoredImage {
  ov::Output<ov::Node> levels;
  ov::Output<ov::Node> channels_last;
  float scale = 0;
};

/// What levels in steps of `scale` stand for.
ov::Output<ov::Node> dequantized(const ov::Output<ov::Node>& levels, float scale);

/// An image NHWC as NCHW.
ov::Output<ov::Node> channels_first(const ov::Output<ov::Node>& image);

/// By the dequantised value; each is made once, for all that read it.
using StoredImages = std::map<ov::Output<ov::Node>, StoredImage>;

/// Whether `value` is channels_first(dequantized(levels)): an op of ours has written NHWC levels.
bool has_written_levels(const ov::Output<ov::Node>& value);

/// What is stored of `value`, NCHW, when it is quantised to 8 bits, the maximum over what is quantised
/// to int8, or has written levels.
std::optional<StoredImage> stored_image(StoredImages& known, const ov::Output<ov::Node>& value);

}  // namespace chexnet_trt::openvino
