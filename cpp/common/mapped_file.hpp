#pragma once

#include <memory>
#include <string>

#include "common/byte_view.hpp"

namespace chexnet_trt {

/// A file mapped read-only; the bytes stay valid while the object lives.
class MappedFile {
 public:
  /// Raises InputError when the file is missing, unreadable or not a regular file. An empty file
  /// maps to zero bytes.
  static std::shared_ptr<const MappedFile> open(const std::string& path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  ByteView bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, ByteView bytes);

  std::string path_;
  ByteView bytes_;
};

}  // namespace chexnet_trt
