#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>

#include "backends/backend.hpp"

namespace chexnet_trt {

/// One executable a batch size, made on first use. Threads that ask for the same batch size share
/// one compilation; different batch sizes compile side by side. A failed compilation reaches all
/// who wait for it and is tried again the next time.
class ExecutableCache {
 public:
  using Compile = std::function<std::shared_ptr<Executable>(std::int64_t batch)>;

  explicit ExecutableCache(Compile compile);

  std::shared_ptr<Executable> get(std::int64_t batch);
  void put(std::int64_t batch, std::shared_ptr<Executable> executable);

 private:
  using Future = std::shared_future<std::shared_ptr<Executable>>;

  Compile compile_;
  std::mutex mutex_;
  std::map<std::int64_t, Future> by_batch_;
};

}  // namespace chexnet_trt
