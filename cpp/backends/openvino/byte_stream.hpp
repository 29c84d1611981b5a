#pragma once

#include <algorithm>
#include <cstddef>
#include <streambuf>
#include <vector>

namespace chexnet_trt::openvino {

/// Appends what a stream writes to a byte vector; positions count from where the vector ended at
/// construction, and a writer may go back and overwrite.
class ByteVectorBuffer : public std::streambuf {
 public:
  explicit ByteVectorBuffer(std::vector<std::byte>& target)
      : target_(target), base_(target.size()) {}

 protected:
  std::streamsize xsputn(const char* data, std::streamsize count) override {
    const auto size = static_cast<std::size_t>(count);
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    const std::size_t overwritten = std::min(size, target_.size() - base_ - position_);
    std::copy_n(bytes, overwritten,
                target_.begin() + static_cast<std::ptrdiff_t>(base_ + position_));
    target_.insert(target_.end(), bytes + overwritten, bytes + size);
    position_ += size;
    return count;
  }

  int_type overflow(int_type value) override {
    if (traits_type::eq_int_type(value, traits_type::eof())) return traits_type::not_eof(value);
    const char character = traits_type::to_char_type(value);
    xsputn(&character, 1);
    return value;
  }

  pos_type seekoff(off_type offset, std::ios_base::seekdir direction,
                   std::ios_base::openmode /*which*/) override {
    off_type from = 0;
    if (direction == std::ios_base::cur) from = static_cast<off_type>(position_);
    if (direction == std::ios_base::end) from = static_cast<off_type>(target_.size() - base_);
    const off_type to = from + offset;
    if (to < 0 || to > static_cast<off_type>(target_.size() - base_)) return off_type(-1);
    position_ = static_cast<std::size_t>(to);
    return to;
  }

  pos_type seekpos(pos_type position, std::ios_base::openmode which) override {
    return seekoff(position, std::ios_base::beg, which);
  }

 private:
  std::vector<std::byte>& target_;
  std::size_t base_;
  std::size_t position_ = 0;
};

}  // namespace chexnet_trt::openvino
