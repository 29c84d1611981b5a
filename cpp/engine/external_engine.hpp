#pragma once

#include <memory>
#include <string>
#include <variant>

#include "common/byte_view.hpp"
#include "engine/engine.hpp"
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

  /// Writes the file atomically: all of it or nothing. Raises InputError when that fails.
  void save(const std::string& path) const;
};

/// An engine file of either kind; `options` are those of Engine::load and mean nothing to an external
/// engine. Raises InputError as Engine::load does.
std::variant<std::shared_ptr<Engine>, ExternalEngine> load_engine_file(const std::string& path,
                                                                       const LoadOptions& options);

}  // namespace chexnet_trt
