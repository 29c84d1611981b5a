#pragma once

#include <string>

#include "common/byte_view.hpp"

namespace chexnet_trt {

/// Writes a file that appears under its name only when it is complete and on disk: the bytes go to
/// a temporary file in the same folder, `commit` renames it, and the destructor removes what was
/// not committed. Every failure (missing folder, full disk, ...) raises InputError with the reason.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(ByteView bytes);
  void commit();

 private:
  [[noreturn]] void fail(int code) const;

  std::string path_;
  std::string temporary_;
  int fd_ = -1;
};

}  // namespace chexnet_trt
