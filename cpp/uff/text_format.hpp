#pragma once

#include <string>

#include "uff/model.hpp"

namespace chexnet_trt::uff {

/// The protobuf text form of the file, for people: map entries sorted by key, a blob of more than
/// 32 bytes as `(...N bytes skipped...)`, so it cannot be read back.
std::string to_text(const MetaGraph& meta);

}  // namespace chexnet_trt::uff
