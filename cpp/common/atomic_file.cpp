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

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), temporary_(temporary_name(path_)) {
  if (is_folder(path_)) {
    temporary_.clear();
    fail(EISDIR);
  }
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) {
    temporary_.clear();
    fail(errno);
  }
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

void AtomicFile::fail(int code) const {
  throw InputError("cannot write '" + path_ + "': " + std::strerror(code) +
                   "; nothing was written");
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
