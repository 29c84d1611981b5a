#include "common/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return path + "." + std::to_string(::getpid()) + "." + std::to_string(counter++) + ".tmp";
}

/// Why nothing may be renamed over what has this name; empty when it may. Whoever may write into
/// /dev would lose the device.
const char* obstacle(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return "";
  return S_ISDIR(status.st_mode) ? "it is a folder" : "it is a device or a pipe, not a file";
}

}  // namespace

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), temporary_(temporary_name(path_)) {
  const std::string reason = obstacle(path_);
  if (!reason.empty()) fail(reason);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) fail(errno);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(ByteView bytes) {
  while (bytes.size != 0) {
    const ssize_t written = ::write(fd_, bytes.data, bytes.size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    const auto count = static_cast<std::size_t>(written);
    bytes = bytes.subview(count, bytes.size - count);
  }
}

void AtomicFile::sync() {
  if (::fsync(fd_) != 0) fail(errno);
  if (::close(std::exchange(fd_, -1)) != 0) fail(errno);
}

void AtomicFile::commit() {
  if (fd_ >= 0) sync();
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  temporary_.clear();
}

void AtomicFile::fail(int code) const { fail(std::strerror(code)); }

void AtomicFile::fail(const std::string& reason) const {
  throw InputError("cannot write '" + path_ + "': " + reason + "; nothing was written");
}

void write_files(const std::vector<std::pair<std::string, ByteView>>& files) {
  std::vector<std::unique_ptr<AtomicFile>> written;
  written.reserve(files.size());
  for (const auto& [path, content] : files) {
    written.push_back(std::make_unique<AtomicFile>(path));
    written.back()->write(content);
    written.back()->sync();
  }
  for (const auto& file : written) file->commit();
}

}  // namespace chexnet_trt
