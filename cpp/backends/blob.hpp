#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.hpp"
#include "common/byte_view.hpp"

namespace chexnet_trt {

/// What a blob must have been made for: the device and the structure of the graph. The weights are
/// left to the checksums of the file that holds both.
std::string blob_key(const std::string& fingerprint, const Graph& graph);

/// Libraries check little of a blob before they trust it, so ours starts with a header: magic,
/// checksum of all that follows, fingerprint, batch and precision; the payload begins at a multiple
/// of 64 bytes.
class BlobWriter {
 public:
  BlobWriter(std::string_view fingerprint, const CompileOptions& options);

  /// Where the payload is appended.
  std::vector<std::byte>& bytes() { return bytes_; }
  /// Seals the blob.
  std::vector<std::byte> finish();

 private:
  std::vector<std::byte> bytes_;
};

/// The payload of `blob`. Raises BackendError saying why when it is damaged or made for another
/// device, batch or precision.
ByteView blob_payload(ByteView blob, std::string_view fingerprint, const CompileOptions& options);

}  // namespace chexnet_trt
