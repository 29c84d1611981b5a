#pragma once

#include <map>
#include <openvino/core/node_output.hpp>
#include <optional>

namespace chexnet_trt::openvino {

/// What is stored of an image: int8 levels in steps of `scale`, as NCHW and as NHWC.
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

/// What is stored of `value`, NCHW, when it is quantised to int8 or the maximum over such.
std::optional<StoredImage> stored_image(StoredImages& known, const ov::Output<ov::Node>& value);

}  // namespace chexnet_trt::openvino
