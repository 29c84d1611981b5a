#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "backends/backend.hpp"

namespace chexnet_trt {

/// How an engine was built: the section "config" of its file, one `key=value` a line. Unknown keys
/// are ignored, so that a format version can gain some.
struct EngineConfig {
  std::string backend;
  Precision precision = Precision::kFloat32;
  std::int64_t max_batch = 1;
  int threads = 0;
  int streams = 1;
  bool profiling = false;
  /// Larger batches run in pieces of this size (sliced_executable.hpp); 0: every batch runs whole.
  std::int64_t slice = 0;
  /// Of the device that compiled the blobs.
  std::string fingerprint;
  std::string device;

  CompileOptions compile_options(std::int64_t batch) const;
};

std::string to_text(const EngineConfig& config);
/// Raises InputError on a missing key or a value out of range.
EngineConfig config_from_text(std::string_view text);

}  // namespace chexnet_trt
