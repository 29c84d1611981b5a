#pragma once

#include <string_view>

namespace chexnet_trt {

/// Whether `text` is well-formed UTF-8.
bool is_utf8(std::string_view text);

}  // namespace chexnet_trt
