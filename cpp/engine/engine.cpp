#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "common/error.hpp"
#include "common/log.hpp"
#include "engine/execution_context.hpp"
#include "engine/sliced_executable.hpp"

namespace chexnet_trt {

Engine::Engine(Graph graph, EngineConfig config, Backend& backend,
               std::vector<std::int64_t> blob_batches)
    : graph_(std::move(graph)),
      config_(std::move(config)),
      backend_(backend),
      blob_batches_(std::move(blob_batches)),
      inputs_(input_infos(graph_)),
      outputs_(output_infos(graph_)),
      executables_([this](std::int64_t batch) { return compile(batch); }),
      slices_([this](std::int64_t size) { return compile_slice(size); }) {
  if (config_.profiling) config_.slices_at_once = 1;  // the times of layers are not to overlap
}

std::string Engine::manifest() const {
  const std::lock_guard<std::mutex> lock(manifest_mutex_);
  return manifest_;
}

void Engine::set_manifest(std::string json) {
  const std::lock_guard<std::mutex> lock(manifest_mutex_);
  manifest_ = std::move(json);
}

std::vector<LayerInfo> Engine::layers(std::int64_t batch) { return executable(batch)->layers(); }

void Engine::require_device() const {
  if (const std::string reason = backend_.cannot_run(); !reason.empty()) {
    throw BackendError(reason);
  }
}

std::shared_ptr<ExecutionContext> Engine::create_context() {
  return std::make_shared<ExecutionContext>(shared_from_this());
}

std::shared_ptr<Engine> Engine::with_profiling() const {
  EngineConfig config = config_;
  config.profiling = true;
  return std::make_shared<Engine>(graph_, std::move(config), backend_);
}

std::shared_ptr<Executable> Engine::executable(std::int64_t batch) {
  if (batch < 1 || batch > config_.max_batch) {
    throw InputError("batch " + std::to_string(batch) + " is outside 1 ... " +
                     std::to_string(config_.max_batch) +
                     ", the engine's maximum; build it with a larger max batch");
  }
  return executables_.get(batch);
}

void Engine::add_slice(std::int64_t size, std::shared_ptr<Executable> executable) {
  slices().put(size, std::move(executable));
}

void Engine::set_max_cached_batches(std::size_t count) {
  executables_.set_limit(count);
  slices_.set_limit(count);
}

std::shared_ptr<Executable> Engine::compile(std::int64_t batch) {
  const std::vector<std::int64_t> sizes = config_.slices_of(batch);
  if (sizes.size() > 1) return sliced(sizes);
  if (&slices() == &executables_) return compile_slice(batch);
  return backend_.compile(graph_, config_.compile_options(batch));
}

std::shared_ptr<Executable> Engine::compile_slice(std::int64_t size) {
  if (blobs_.by_batch.count(size) != 0) {
    if (std::shared_ptr<Executable> executable = from_blob(size)) return executable;
  }
  return backend_.compile(graph_, config_.slice_options(size));
}

std::shared_ptr<Executable> Engine::sliced(const std::vector<std::int64_t>& sizes) {
  std::vector<Slice> pieces;
  pieces.reserve(sizes.size());
  for (const std::int64_t size : sizes) pieces.push_back({slices().get(size), size});
  return make_sliced(std::move(pieces), inputs_, outputs_);
}

/// nullptr when the blob does not fit and may be rebuilt.
std::shared_ptr<Executable> Engine::from_blob(std::int64_t batch) {
  try {
    return backend_.deserialize_in_place(blobs_.by_batch.at(batch), blobs_.owner, graph_,
                                         config_.slice_options(batch));
  } catch (const Error& error) {
    const std::string what = "'" + file_name_ + "': the compiled network for batch " +
                             std::to_string(batch) + " does not load (" + error.what() + ")";
    if (require_exact_device_) throw InputError(what + "; build the engine again on this device");
    log(Severity::kWarning, what + "; compiling it again from the graph");
    return nullptr;
  }
}

void Engine::use_blobs(EngineBlobs blobs, std::string file_name, bool require_exact_device) {
  blobs_ = std::move(blobs);
  file_name_ = std::move(file_name);
  require_exact_device_ = require_exact_device;
}

}  // namespace chexnet_trt
