#include "backends/blob.hpp"

#include <cstring>
#include <string>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "graph/text.hpp"

namespace chexnet_trt {
namespace {

constexpr std::string_view kMagic = "CTOVBLB1";
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kSealed = kMagic.size() + sizeof(std::uint64_t);

struct FixedHeader {
  std::uint64_t payload_offset = 0;
  std::int64_t batch = 0;
  std::int64_t precision = 0;
  std::uint64_t fingerprint_size = 0;
};

constexpr std::size_t kFingerprintAt = kSealed + sizeof(FixedHeader);

[[noreturn]] void refuse(const std::string& why) { throw BackendError("engine blob: " + why); }

}  // namespace

std::string blob_key(const std::string& fingerprint, const Graph& graph) {
  return fingerprint + "; graph " + std::to_string(checksum(ByteView(to_text(graph))));
}

BlobWriter::BlobWriter(std::string_view fingerprint, const CompileOptions& options) {
  FixedHeader header;
  header.batch = options.batch;
  header.precision = static_cast<std::int64_t>(options.precision);
  header.fingerprint_size = fingerprint.size();
  const std::size_t end = kFingerprintAt + fingerprint.size();
  header.payload_offset = (end + kAlignment - 1) / kAlignment * kAlignment;
  bytes_.resize(header.payload_offset);
  std::memcpy(bytes_.data(), kMagic.data(), kMagic.size());
  std::memcpy(bytes_.data() + kSealed, &header, sizeof header);
  std::memcpy(bytes_.data() + kFingerprintAt, fingerprint.data(), fingerprint.size());
}

std::vector<std::byte> BlobWriter::finish() {
  const std::uint64_t sum = checksum({bytes_.data() + kSealed, bytes_.size() - kSealed});
  std::memcpy(bytes_.data() + kMagic.size(), &sum, sizeof sum);
  return std::move(bytes_);
}

ByteView blob_payload(ByteView blob, std::string_view fingerprint, const CompileOptions& options) {
  if (blob.size < kFingerprintAt) refuse("it is cut short");
  if (blob.subview(0, kMagic.size()).text() != kMagic) refuse("it was not made by this backend");
  std::uint64_t sum = 0;
  std::memcpy(&sum, blob.data + kMagic.size(), sizeof sum);
  if (checksum(blob.subview(kSealed, blob.size - kSealed)) != sum) {
    refuse("the checksum is wrong, it is damaged or cut short");
  }
  FixedHeader header;
  std::memcpy(&header, blob.data + kSealed, sizeof header);
  if (header.payload_offset > blob.size || header.fingerprint_size > blob.size - kFingerprintAt) {
    refuse("its header points past its end");
  }
  const std::string_view made_for = blob.subview(kFingerprintAt, header.fingerprint_size).text();
  if (made_for != fingerprint) {
    refuse("made for '" + std::string(made_for) + "', this is '" + std::string(fingerprint) + "'");
  }
  if (header.batch != options.batch) {
    refuse("compiled for batch " + std::to_string(header.batch) + ", asked for " +
           std::to_string(options.batch));
  }
  if (header.precision != static_cast<std::int64_t>(options.precision)) {
    refuse("compiled for another precision than " + std::string(name_of(options.precision)));
  }
  return blob.subview(header.payload_offset, blob.size - header.payload_offset);
}

}  // namespace chexnet_trt
