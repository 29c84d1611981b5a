#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/byte_view.hpp"

namespace chexnet_trt {

/// Writes a file that appears under its name only when it is complete and on disk: the bytes go to
/// a temporary file in the same folder, `commit` renames it, and the destructor removes what was
/// not committed. Every failure (missing folder, a folder or device of that name, full disk, ...)
/// raises InputError with the reason.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(ByteView bytes);
  /// Puts all of it on disk: nothing is written after this, and `commit` cannot run out of space.
  void sync();
  void commit();

 private:
  [[noreturn]] void fail(int code) const;
  [[noreturn]] void fail(const std::string& reason) const;

  std::string path_;
  std::string temporary_;
  int fd_ = -1;
};

/// Writes each pair of path and content; all are complete and on disk before the first appears.
void write_files(const std::vector<std::pair<std::string, ByteView>>& files);

}  // namespace chexnet_trt
