#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/byte_view.hpp"
#include "engine/engine.hpp"

namespace chexnet_trt {

/// An engine that any number of threads run at the same time. Thread-safe.
class LoadedEngine {
 public:
  /// The engine of a file's bytes, which are copied; the one in memory if its bytes are the same.
  /// `name` stands for the file in messages. Raises as Engine::load.
  static std::shared_ptr<LoadedEngine> from_bytes(ByteView bytes, const std::string& name);
  /// The same for a file, whose bytes are used where they are mapped.
  static std::shared_ptr<LoadedEngine> from_file(const std::string& path);

  const Engine& engine() const { return *engine_; }
  /// One inference on a context that is free, a new one if none is. Raises as ExecutionContext.
  void run(std::int64_t batch, const std::vector<Binding>& bindings);

 private:
  LoadedEngine(ByteView bytes, std::shared_ptr<const void> owner, const std::string& name);
  static std::shared_ptr<LoadedEngine> find(ByteView bytes);
  static std::shared_ptr<LoadedEngine> add(ByteView bytes, std::shared_ptr<const void> owner,
                                           const std::string& name);

  ByteView bytes_;
  std::shared_ptr<const void> owner_;
  std::shared_ptr<Engine> engine_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<ExecutionContext>> idle_;
};

}  // namespace chexnet_trt
