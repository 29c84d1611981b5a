#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backends/backend.hpp"
#include "common/error.hpp"
#include "engine/tensor_info.hpp"

namespace chexnet_trt {

/// What a FakeBackend does; may change between calls.
struct FakeBehaviour {
  std::string name = "fake";
  std::string fingerprint = "fake 1";
  std::vector<Precision> precisions{Precision::kFloat32};
  std::vector<Precision> emulated;
  /// Time of an inference and of a compilation, milliseconds.
  std::function<double(Precision)> run_ms = [](Precision) { return 0.0; };
  /// Added to it.
  std::function<double(std::int64_t batch)> run_batch_ms = [](std::int64_t) { return 0.0; };
  double compile_ms = 0;
  /// Inferences and compilations fail while set.
  std::atomic<bool> fail_runs{false};
  std::atomic<bool> fail_compile{false};
  /// `deserialize` refuses every blob.
  bool refuse_blobs = false;
  std::vector<Op> unsupported;
  bool times_kernels = false;
  int most_streams = 1;
  /// Executions are refused with it, unless empty.
  std::string cannot_run;
  /// What executions say of every inference.
  std::optional<DeviceTimes> device_times;
  /// All that `allocate_host` has returned.
  std::vector<std::weak_ptr<std::byte>> host_memory;

  std::atomic<int> compiled{0};
  std::atomic<int> deserialized{0};
  /// Executables in memory.
  std::atomic<int> alive{0};
  std::atomic<int> running{0};
  std::atomic<int> most_running{0};
};

/// Runs on a thread of its own. Every output element is 2 * x + 1 of the element of the first input
/// with its index, in float32; inputs are float32 or uint8.
class FakeExecution : public Execution {
 public:
  FakeExecution(FakeBehaviour& behaviour, std::vector<TensorInfo> inputs,
                std::vector<TensorInfo> outputs, const CompileOptions& options)
      : behaviour_(behaviour),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        options_(options),
        thread_([this] { work(); }) {}
  ~FakeExecution() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      quit_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void enqueue(const std::vector<Binding>& bindings, StreamHandle /*stream*/) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (busy_) throw Error("enqueued over an inference in flight");
      bindings_ = bindings;
      failed_ = false;
      busy_ = true;
    }
    changed_.notify_all();
  }
  void wait() override {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !busy_; });
    if (failed_) throw BackendError("the fake device failed");
  }
  bool ready() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !busy_;
  }
  std::optional<DeviceTimes> device_times() const override { return behaviour_.device_times; }
  std::vector<LayerTime> layer_times() const override {
    if (!options_.profiling) return {};
    return {{"first", 1.0}, {"second", 3.0}};
  }

 private:
  void work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return busy_ || quit_; });
      if (!busy_) return;
      lock.unlock();
      const bool failed = !compute();
      lock.lock();
      failed_ = failed;
      busy_ = false;
      changed_.notify_all();
    }
  }

  bool compute() {
    const int running = ++behaviour_.running;
    int most = behaviour_.most_running;
    while (most < running && !behaviour_.most_running.compare_exchange_weak(most, running)) {
    }
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(
        behaviour_.run_ms(options_.precision) + behaviour_.run_batch_ms(options_.batch)));
    const bool fails = behaviour_.fail_runs;
    for (std::size_t index = 0; !fails && index < outputs_.size(); ++index) fill(index);
    --behaviour_.running;
    return !fails;
  }

  void fill(std::size_t output) const {
    const std::size_t count = byte_count(outputs_[output], options_.batch) / sizeof(float);
    const bool is_uint8 = inputs_[0].element == ElementType::kUInt8;
    const std::size_t limit =
        byte_count(inputs_[0], options_.batch) / (is_uint8 ? 1 : sizeof(float));
    auto* to = static_cast<float*>(bindings_[inputs_.size() + output].data);
    for (std::size_t index = 0; index < std::min(count, limit); ++index) {
      const float x = is_uint8 ? static_cast<const std::uint8_t*>(bindings_[0].data)[index]
                               : static_cast<const float*>(bindings_[0].data)[index];
      to[index] = 2 * x + 1;
    }
  }

  FakeBehaviour& behaviour_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  CompileOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Binding> bindings_;
  bool busy_ = false;
  bool failed_ = false;
  bool quit_ = false;
  std::thread thread_;
};

class FakeExecutable : public Executable {
 public:
  FakeExecutable(FakeBehaviour& behaviour, const Graph& graph, const CompileOptions& options)
      : behaviour_(behaviour),
        inputs_(input_infos(graph)),
        outputs_(output_infos(graph)),
        options_(options) {
    ++behaviour_.alive;
  }
  ~FakeExecutable() override { --behaviour_.alive; }
  FakeExecutable(const FakeExecutable&) = delete;
  FakeExecutable& operator=(const FakeExecutable&) = delete;

  std::unique_ptr<Execution> create_execution() override {
    if (!behaviour_.cannot_run.empty()) throw BackendError(behaviour_.cannot_run);
    return std::make_unique<FakeExecution>(behaviour_, inputs_, outputs_, options_);
  }
  std::vector<LayerInfo> layers() const override {
    return {{"all", "fake", std::string(name_of(options_.precision)), "affine", {}}};
  }
  std::vector<std::byte> serialize() const override {
    const std::string text = blob_text(options_);
    const ByteView bytes(text);
    return {bytes.begin(), bytes.end()};
  }
  static std::string blob_text(const CompileOptions& options) {
    return "fake blob for batch " + std::to_string(options.batch) + " in " +
           std::to_string(options.streams) + " streams";
  }

 private:
  FakeBehaviour& behaviour_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  CompileOptions options_;
};

class FakeBackend : public Backend {
 public:
  FakeBehaviour behaviour;

  std::string_view name() const override { return behaviour.name; }
  std::string fingerprint() const override { return behaviour.fingerprint; }
  std::string device_name() const override { return "device " + behaviour.fingerprint; }
  std::string cannot_run() const override { return behaviour.cannot_run; }
  std::vector<Precision> precisions() const override { return behaviour.precisions; }
  std::vector<Precision> emulated_precisions() const override { return behaviour.emulated; }
  std::shared_ptr<std::byte> allocate_host(std::size_t bytes) override {
    std::shared_ptr<std::byte> memory = Backend::allocate_host(bytes);
    behaviour.host_memory.push_back(memory);
    return memory;
  }
  int most_streams(int threads) const override {
    return threads > 0 ? std::min(threads, behaviour.most_streams) : behaviour.most_streams;
  }
  TimingCache* timings() override { return behaviour.times_kernels ? &timings_ : nullptr; }
  std::string unsupported_reason(Op op) const override {
    const auto& ops = behaviour.unsupported;
    return std::find(ops.begin(), ops.end(), op) == ops.end() ? "" : "the fake has no such kernel";
  }
  std::unique_ptr<Executable> compile(const Graph& graph, const CompileOptions& options) override {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(behaviour.compile_ms));
    ++behaviour.compiled;
    if (behaviour.fail_compile) throw BackendError("the fake compiler failed");
    if (behaviour.times_kernels) timings_.put("all", {"affine", 1});
    return std::make_unique<FakeExecutable>(behaviour, graph, options);
  }
  std::unique_ptr<Executable> deserialize(ByteView blob, const Graph& graph,
                                          const CompileOptions& options) override {
    const std::string expected = FakeExecutable::blob_text(options);
    if (behaviour.refuse_blobs || blob.text() != expected) throw BackendError("not a blob of mine");
    ++behaviour.deserialized;
    return std::make_unique<FakeExecutable>(behaviour, graph, options);
  }

 private:
  TimingCache timings_;
};

/// y = 2 * x + 1, three numbers an item: what FakeExecution computes.
inline Graph tiny_graph() {
  Graph graph;
  const NodeId x = graph.add_input("x", {ElementType::kFloat32, {kBatch, 3}});
  const NodeId scale = graph.add_constant("scale", Tensor::from_floats({3}, {2, 2, 2}));
  const NodeId shift = graph.add_constant("shift", Tensor::from_floats({3}, {1, 1, 1}));
  const NodeId scaled =
      graph.add(Op::kBinary, "scaled", {x, scale}, BinaryAttributes{BinaryKind::kMul});
  const NodeId shifted =
      graph.add(Op::kBinary, "shifted", {scaled, shift}, BinaryAttributes{BinaryKind::kAdd});
  graph.add_output("y", shifted);
  return graph;
}

}  // namespace chexnet_trt
