#pragma once

#include <memory>
#include <string>

#include "uff/model.hpp"

namespace chexnet_trt::uff {

/// Maps the file and parses it; blobs and texts stay where they lie. Raises InputError, naming file
/// and byte offset, on anything that is not a UFF file: empty, a git-LFS pointer, cut short, a
/// length that points past the end, a wrong wire type.
MetaGraph read_file(const std::string& path);

/// The same over bytes in memory, kept alive by `owner`.
MetaGraph read(ByteView bytes, std::shared_ptr<const void> owner, const std::string& name);

}  // namespace chexnet_trt::uff
