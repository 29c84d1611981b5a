#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "backends/backend.hpp"

namespace chexnet_trt {

/// One executable a batch size, made on first use. Threads that ask for the same batch size share
/// one compilation; different batch sizes compile side by side. A failed compilation reaches all
/// who wait for it and is tried again the next time. Beyond a limit, the least recently used ones
/// are let go; who holds one may go on using it.
class ExecutableCache {
 public:
  using Compile = std::function<std::shared_ptr<Executable>(std::int64_t batch)>;

  explicit ExecutableCache(Compile compile);

  std::shared_ptr<Executable> get(std::int64_t batch);
  void put(std::int64_t batch, std::shared_ptr<Executable> executable);
  /// Whether `get(batch)` would return `executable` at once.
  bool holds(std::int64_t batch, const Executable* executable) const;

  /// At most `limit` executables are held, those in compilation not counted; 0: no limit.
  void set_limit(std::size_t limit);
  std::size_t limit() const;

 private:
  using Future = std::shared_future<std::shared_ptr<Executable>>;
  struct Entry {
    Future executable;
    std::uint64_t last_use = 0;
  };

  void make_room_for(std::int64_t batch);
  std::vector<Future> shrink();

  Compile compile_;
  mutable std::mutex mutex_;
  std::map<std::int64_t, Entry> by_batch_;
  std::size_t limit_ = 0;
  std::uint64_t uses_ = 0;
};

}  // namespace chexnet_trt
