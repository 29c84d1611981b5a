#pragma once

#include <string>
#include <string_view>

namespace chexnet_trt {

/// Whether `text` is well-formed UTF-8.
bool is_utf8(std::string_view text);

/// `text` on one line and safe to show on a terminal: control characters, line separators, marks
/// that change the direction of writing and bytes that are no UTF-8 are spelled \n, \x1b, \u2028.
std::string printable(std::string_view text);

}  // namespace chexnet_trt
