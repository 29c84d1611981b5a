#include "c_api/loaded_engine.hpp"

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

#include "common/mapped_file.hpp"
#include "engine/execution_context.hpp"
#include "plan/plan_reader.hpp"

namespace chexnet_trt {
namespace {

// Of the sections of an engine file, whose weights are used in place.
constexpr std::align_val_t kAlignment{64};

/// Held while an engine is looked up and loaded, so that threads that want the same one share it.
std::mutex& registry_mutex() {
  static std::mutex mutex;
  return mutex;
}

std::vector<std::weak_ptr<LoadedEngine>>& registry() {
  static std::vector<std::weak_ptr<LoadedEngine>> engines;
  return engines;
}

std::shared_ptr<const void> aligned_copy(ByteView bytes) {
  void* memory = ::operator new(bytes.size, kAlignment);
  std::shared_ptr<void> owner(memory, [](void* held) { ::operator delete(held, kAlignment); });
  std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(memory));
  return owner;
}

bool same(ByteView one, ByteView other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end());
}

}  // namespace

LoadedEngine::LoadedEngine(ByteView bytes, std::shared_ptr<const void> owner,
                           const std::string& name)
    : bytes_(bytes),
      owner_(std::move(owner)),
      engine_(Engine::load(PlanReader(bytes_, name, owner_))) {
  engine_->require_device();
}

std::shared_ptr<LoadedEngine> LoadedEngine::from_bytes(ByteView bytes, const std::string& name) {
  const std::lock_guard<std::mutex> lock(registry_mutex());
  if (std::shared_ptr<LoadedEngine> present = find(bytes)) return present;
  std::shared_ptr<const void> copy = aligned_copy(bytes);
  const ByteView copied(copy.get(), bytes.size);
  return add(copied, std::move(copy), name);
}

std::shared_ptr<LoadedEngine> LoadedEngine::from_file(const std::string& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  const std::lock_guard<std::mutex> lock(registry_mutex());
  if (std::shared_ptr<LoadedEngine> present = find(file->bytes())) return present;
  return add(file->bytes(), file, path);
}

/// Under the lock of the registry, like `add`.
std::shared_ptr<LoadedEngine> LoadedEngine::find(ByteView bytes) {
  auto& engines = registry();
  engines.erase(std::remove_if(engines.begin(), engines.end(),
                               [](const auto& engine) { return engine.expired(); }),
                engines.end());
  for (const std::weak_ptr<LoadedEngine>& engine : engines) {
    std::shared_ptr<LoadedEngine> present = engine.lock();
    if (present != nullptr && same(present->bytes_, bytes)) return present;
  }
  return nullptr;
}

std::shared_ptr<LoadedEngine> LoadedEngine::add(ByteView bytes, std::shared_ptr<const void> owner,
                                                const std::string& name) {
  std::shared_ptr<LoadedEngine> engine(new LoadedEngine(bytes, std::move(owner), name));
  registry().push_back(engine);
  return engine;
}

void LoadedEngine::run(std::int64_t batch, const std::vector<Binding>& bindings) {
  std::shared_ptr<ExecutionContext> context;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      context = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (context == nullptr) context = engine_->create_context();
  context->execute(batch, bindings);
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(context));
}

}  // namespace chexnet_trt
