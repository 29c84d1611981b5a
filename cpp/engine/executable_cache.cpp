#include "engine/executable_cache.hpp"

#include <chrono>
#include <utility>

namespace chexnet_trt {
namespace {

bool is_compiled(const std::shared_future<std::shared_ptr<Executable>>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

ExecutableCache::ExecutableCache(Compile compile) : compile_(std::move(compile)) {}

std::shared_ptr<Executable> ExecutableCache::get(std::int64_t batch) {
  std::promise<std::shared_ptr<Executable>> promise;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto found = by_batch_.find(batch);
    if (found != by_batch_.end()) {
      found->second.last_use = ++uses_;
      const Future future = found->second.executable;
      lock.unlock();
      return future.get();
    }
    by_batch_.emplace(batch, Entry{promise.get_future().share(), ++uses_});
  }
  std::shared_ptr<Executable> executable;
  try {
    executable = compile_(batch);
  } catch (...) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      by_batch_.erase(batch);
    }
    promise.set_exception(std::current_exception());
    throw;
  }
  promise.set_value(executable);
  make_room_for(batch);
  return executable;
}

/// For the executable that has just been compiled.
void ExecutableCache::make_room_for(std::int64_t batch) {
  std::vector<Future> released;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_batch_.find(batch);
  if (found != by_batch_.end()) found->second.last_use = ++uses_;
  released = shrink();
}

void ExecutableCache::put(std::int64_t batch, std::shared_ptr<Executable> executable) {
  std::promise<std::shared_ptr<Executable>> promise;
  promise.set_value(std::move(executable));
  std::vector<Future> released;
  const std::lock_guard<std::mutex> lock(mutex_);
  by_batch_.insert_or_assign(batch, Entry{promise.get_future().share(), ++uses_});
  released = shrink();
}

bool ExecutableCache::holds(std::int64_t batch, const Executable* executable) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_batch_.find(batch);
  return found != by_batch_.end() && is_compiled(found->second.executable) &&
         found->second.executable.get().get() == executable;
}

void ExecutableCache::set_limit(std::size_t limit) {
  std::vector<Future> released;
  const std::lock_guard<std::mutex> lock(mutex_);
  limit_ = limit;
  released = shrink();
}

std::size_t ExecutableCache::limit() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return limit_;
}

/// Under the lock; the caller destroys what it gets after unlocking, which takes long.
std::vector<ExecutableCache::Future> ExecutableCache::shrink() {
  std::vector<Future> released;
  std::map<std::uint64_t, std::int64_t> compiled;
  for (const auto& [batch, entry] : by_batch_) {
    if (is_compiled(entry.executable)) compiled.emplace(entry.last_use, batch);
  }
  while (limit_ != 0 && compiled.size() > limit_) {
    const auto oldest = compiled.begin();
    released.push_back(by_batch_.at(oldest->second).executable);
    by_batch_.erase(oldest->second);
    compiled.erase(oldest);
  }
  return released;
}

}  // namespace chexnet_trt
