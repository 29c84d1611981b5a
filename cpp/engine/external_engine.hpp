#pragma once

#include <memory>
#include <string>

#include "common/byte_view.hpp"
#include "engine/engine_config.hpp"
#include "graph/graph.hpp"

namespace chexnet_trt {

/// An engine of a runtime outside this library (TensorRT), which makes, reads and runs `plan`: bytes
/// here, kept alive by `owner`.
struct ExternalEngine {
  Graph graph;
  EngineConfig config;
  /// JSON that the engine carries and does not read.
  std::string manifest = "{}";
  ByteView plan;
  std::shared_ptr<const void> owner;

  /// Reads an engine file. Raises InputError when it is damaged, foreign or of a backend of this
  /// library.
  static ExternalEngine load(const std::string& path);
  /// Writes the file atomically: all of it or nothing. Raises InputError when that fails.
  void save(const std::string& path) const;
};

/// The backend that the engine file is for. Raises InputError when it is damaged or foreign.
std::string backend_of_engine_file(const std::string& path);

}  // namespace chexnet_trt
