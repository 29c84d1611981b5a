#pragma once

#include <string>

#include "common/byte_view.hpp"

namespace chexnet_trt {

/// What a file that is no engine seems to be, from its first bytes, and what to do with it: "it
/// looks like a UFF network; build an engine from it first".
std::string describe_foreign(ByteView bytes);

}  // namespace chexnet_trt
