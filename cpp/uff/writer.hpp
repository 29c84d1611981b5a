#pragma once

#include <functional>
#include <string>

#include "uff/model.hpp"

namespace chexnet_trt::uff {

/// Serialized size in bytes.
std::size_t encoded_size(const MetaGraph& meta);

/// Feeds the serialized bytes piece by piece; blobs go to `sink` without a copy. Maps keep their
/// order, so a file read and written again is the same bytes.
void write(const MetaGraph& meta, const std::function<void(ByteView)>& sink);

/// Writes the file atomically (`AtomicFile`).
void write_file(const MetaGraph& meta, const std::string& path);

}  // namespace chexnet_trt::uff
