#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "engine/engine_config.hpp"
#include "engine/executable_cache.hpp"
#include "engine/host_buffers.hpp"
#include "engine/tensor_info.hpp"
#include "graph/graph.hpp"

namespace chexnet_trt {

class ExecutionContext;
class PlanReader;

/// What is not given is as the engine was built.
struct LoadOptions {
  /// Which of the backend's devices runs it.
  int device = 0;
  std::optional<int> threads;
  std::optional<int> streams;
  std::optional<bool> profiling;
  /// Refuses an engine compiled for another device in place of rebuilding it.
  bool require_exact_device = false;
};

/// Compiled blobs by batch size, in bytes that `owner` keeps.
struct EngineBlobs {
  std::map<std::int64_t, ByteView> by_batch;
  std::shared_ptr<const void> owner;
};

/// A network ready to run. Thread-safe. Batch sizes compile on first use and stay, all of them or
/// `max_cached_batches`.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  /// `graph` is optimised; `backend` outlives the engine. `blob_batches`: the batch sizes whose
  /// blobs `save` writes.
  Engine(Graph graph, EngineConfig config, Backend& backend,
         std::vector<std::int64_t> blob_batches = {});

  /// Reads an engine file. Blobs of another device or with other options are not used: a warning
  /// says so and the graph is compiled again. Raises InputError when the file is damaged or
  /// foreign, when the device lacks the engine's precision, and with `require_exact_device` when it
  /// is another device.
  static std::shared_ptr<Engine> load(const std::string& path, const LoadOptions& options = {});
  static std::shared_ptr<Engine> load(const std::string& path, const LoadOptions& options,
                                      Backend& backend);
  static std::shared_ptr<Engine> load(const PlanReader& plan, const LoadOptions& options = {});
  static std::shared_ptr<Engine> load(const PlanReader& plan, const LoadOptions& options,
                                      Backend& backend);
  /// Writes the file atomically: all of it or nothing. Raises InputError when that fails.
  void save(const std::string& path);

  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }
  const EngineConfig& config() const { return config_; }
  std::int64_t max_batch() const { return config_.max_batch; }
  Precision precision() const { return config_.precision; }
  const Graph& graph() const { return graph_; }
  /// JSON that the engine carries and does not read.
  std::string manifest() const;
  void set_manifest(std::string json);

  std::vector<LayerInfo> layers(std::int64_t batch);
  /// Raises BackendError where there is no device to run it (Backend::cannot_run).
  void require_device() const;
  /// The context keeps this engine alive, which a shared_ptr must own. Raises as `require_device`.
  std::shared_ptr<ExecutionContext> create_context();
  /// For inferences of `batch` items; they do not keep this engine alive.
  HostBuffers create_buffers(std::int64_t batch) const {
    return {inputs_, outputs_, batch, backend_};
  }
  /// Backend::allocate_host of its backend.
  std::shared_ptr<std::byte> allocate_host(std::size_t bytes) const {
    return backend_.allocate_host(bytes);
  }
  /// The same network, to be compiled so that layers are timed.
  std::shared_ptr<Engine> with_profiling() const;
  /// Raises InputError when `batch` is not 1 ... max_batch, BackendError when it does not compile.
  std::shared_ptr<Executable> executable(std::int64_t batch);
  /// `executable` runs the pieces of that size, and with one piece at a time also that batch whole.
  void add_slice(std::int64_t size, std::shared_ptr<Executable> executable);

  /// How many compiled batch sizes are kept, the least recently used going first; 0: all of them.
  /// A context keeps what it ran until it meets a batch size that is new to it.
  void set_max_cached_batches(std::size_t count);
  std::size_t max_cached_batches() const { return executables_.limit(); }
  /// Whether `executable` is among those kept.
  bool holds(std::int64_t batch, const Executable* executable) const {
    return executables_.holds(batch, executable);
  }

 private:
  std::shared_ptr<Executable> compile(std::int64_t batch);
  std::shared_ptr<Executable> compile_slice(std::int64_t size);
  std::shared_ptr<Executable> sliced(const std::vector<std::int64_t>& sizes);
  std::shared_ptr<Executable> from_blob(std::int64_t batch);
  /// What runs pieces, and what blobs are of.
  ExecutableCache& slices() { return config_.slices_at_once > 1 ? slices_ : executables_; }
  void use_blobs(EngineBlobs blobs, std::string file_name, bool require_exact_device);

  Graph graph_;
  EngineConfig config_;
  Backend& backend_;
  std::vector<std::int64_t> blob_batches_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  EngineBlobs blobs_;
  std::string file_name_;
  bool require_exact_device_ = false;
  mutable std::mutex manifest_mutex_;
  std::string manifest_ = "{}";
  ExecutableCache executables_;
  /// Pieces that run side by side, which are compiled apart from batches of their size.
  ExecutableCache slices_;
};

}  // namespace chexnet_trt
