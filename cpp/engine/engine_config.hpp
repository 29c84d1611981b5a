#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
  /// Larger batches run in pieces of at most this size (sliced_executable.hpp); 0: every batch runs
  /// whole.
  std::int64_t slice = 0;
  /// How many of them run side by side, each on its share of the threads.
  int slices_at_once = 1;
  /// Of the device that compiled the blobs.
  std::string fingerprint;
  std::string device;

  /// The pieces in which a batch runs, in order; one: whole.
  std::vector<std::int64_t> slices_of(std::int64_t batch) const;
  CompileOptions compile_options(std::int64_t batch) const;
  /// Of a piece.
  CompileOptions slice_options(std::int64_t size) const;
};

std::string to_text(const EngineConfig& config);
/// Raises InputError on a missing key or a value out of range.
EngineConfig config_from_text(std::string_view text);

}  // namespace chexnet_trt
