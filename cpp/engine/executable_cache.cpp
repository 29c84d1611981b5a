#include "engine/executable_cache.hpp"

#include <utility>

namespace chexnet_trt {

ExecutableCache::ExecutableCache(Compile compile) : compile_(std::move(compile)) {}

std::shared_ptr<Executable> ExecutableCache::get(std::int64_t batch) {
  std::promise<std::shared_ptr<Executable>> promise;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto [found, inserted] = by_batch_.try_emplace(batch);
    if (!inserted) {
      const Future future = found->second;
      lock.unlock();
      return future.get();
    }
    found->second = promise.get_future().share();
  }
  try {
    std::shared_ptr<Executable> executable = compile_(batch);
    promise.set_value(executable);
    return executable;
  } catch (...) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      by_batch_.erase(batch);
    }
    promise.set_exception(std::current_exception());
    throw;
  }
}

void ExecutableCache::put(std::int64_t batch, std::shared_ptr<Executable> executable) {
  std::promise<std::shared_ptr<Executable>> promise;
  promise.set_value(std::move(executable));
  const std::lock_guard<std::mutex> lock(mutex_);
  by_batch_.insert_or_assign(batch, promise.get_future().share());
}

}  // namespace chexnet_trt
