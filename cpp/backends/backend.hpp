#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/timing_cache.hpp"
#include "common/byte_view.hpp"
#include "graph/graph.hpp"

namespace chexnet_trt {

/// Highest first. kInt8 and kMixed run a quantised graph: its quantize / dequantize pairs say what
/// computes in int8; the rest computes in float32, with kMixed in bfloat16.
enum class Precision { kFloat32, kFloat16, kBFloat16, kInt8, kMixed };

/// "fp32", "fp16", "bf16", "int8" or "mixed".
std::string_view name_of(Precision precision);
/// Raises InputError on any other name.
Precision precision_from_name(std::string_view name);

enum class MemoryKind { kHost, kDevice };

/// A caller's buffer for one input or output of one batch, dense, in the order of the value's
/// shape.
struct Binding {
  void* data = nullptr;
  MemoryKind memory = MemoryKind::kHost;
};

/// A device queue of the backend's own kind (a cudaStream_t); nullptr: the execution's own.
/// Backends on the CPU have only that.
using StreamHandle = void*;

struct CompileOptions {
  std::int64_t batch = 1;
  Precision precision = Precision::kFloat32;
  /// CPU threads in all; 0: every core that the process may use.
  int threads = 0;
  /// How many executions are meant to run at the same time.
  int streams = 1;
  /// Makes `Execution::layer_times` work, at some cost in speed.
  bool profiling = false;
};

/// A layer as the backend runs it, after its own fusions.
struct LayerInfo {
  std::string name;
  std::string type;
  std::string precision;
  std::string kernel;
  /// Names of the graph's nodes that it computes, where the backend tells; others may be among them.
  std::vector<std::string> nodes;
};

/// Where an inference spent its time, by the device's clock, milliseconds.
struct DeviceTimes {
  double h2d = 0;      ///< copying its inputs
  double compute = 0;  ///< from the first kernel to the last
  double d2h = 0;      ///< copying its outputs
};

struct LayerTime {
  std::string name;
  double milliseconds = 0;
};

/// One inference in flight. Not for several threads at once; several executions of one executable
/// are.
class Execution {
 public:
  virtual ~Execution() = default;

  /// Starts an inference and returns. `bindings`: the graph's inputs, then its outputs, in order;
  /// they stay valid until `wait` returns. The previous inference has been waited for.
  virtual void enqueue(const std::vector<Binding>& bindings, StreamHandle stream) = 0;
  /// Blocks until the inference is done. Raises BackendError if it failed. Repeatable.
  virtual void wait() = 0;
  virtual bool ready() = 0;
  /// `enqueue` and `wait` in one: without a change of threads where a backend can.
  virtual void execute(const std::vector<Binding>& bindings) {
    enqueue(bindings, nullptr);
    wait();
  }
  /// Of the last inference; empty on backends without a clock of the device's.
  virtual std::optional<DeviceTimes> device_times() const { return std::nullopt; }
  /// Of the last inference; needs CompileOptions::profiling, else empty.
  virtual std::vector<LayerTime> layer_times() const = 0;
};

/// A graph compiled for one batch size. Thread-safe.
class Executable {
 public:
  virtual ~Executable() = default;

  virtual std::unique_ptr<Execution> create_execution() = 0;
  virtual std::vector<LayerInfo> layers() const = 0;
  /// A blob for `Backend::deserialize` on the same device with the same options.
  virtual std::vector<std::byte> serialize() const = 0;
};

/// Turns graphs into executables for one kind of device. Thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string_view name() const = 0;
  /// What a blob depends on: runtime version, device, instruction set.
  virtual std::string fingerprint() const = 0;
  /// For people: "Intel(R) Xeon(R) ... (2 threads)".
  virtual std::string device_name() const = 0;
  /// Why there is no device to run what it compiles, so that every execution is refused with a
  /// BackendError; empty when there is one.
  virtual std::string cannot_run() const { return {}; }
  /// The precisions whose kernels this device has. kFloat32 is always among them.
  virtual std::vector<Precision> precisions() const = 0;
  /// The precisions that the device only emulates: their rounding is real, their speed is worse
  /// than float32's. For a build that forces one, not worth timing in a build that permits it.
  /// `compile` raises BackendError on a precision in neither list.
  virtual std::vector<Precision> emulated_precisions() const { return {}; }
  /// How many executions of one executable may each have CPU threads of their own, of
  /// CompileOptions::threads; 1 on devices that share themselves out.
  virtual int most_streams(int /*threads*/) const { return 1; }
  /// What `compile` measured to choose kernels, and need not measure again; nullptr: nothing.
  virtual TimingCache* timings() { return nullptr; }
  /// Why `op` cannot be lowered; empty when it can.
  virtual std::string unsupported_reason(Op op) const = 0;

  /// Memory on the host for bindings, zeroed, at a multiple of 64: where there is a choice, such
  /// that the device reads and writes it without the CPU. Bindings may lie in any other memory.
  virtual std::shared_ptr<std::byte> allocate_host(std::size_t bytes);

  virtual std::unique_ptr<Executable> compile(const Graph& graph,
                                              const CompileOptions& options) = 0;
  /// Raises BackendError when the blob does not fit; the caller then compiles.
  virtual std::unique_ptr<Executable> deserialize(ByteView blob, const Graph& graph,
                                                  const CompileOptions& options) = 0;
  /// `deserialize` that may read `blob` in place, while `owner` lives, instead of copying it.
  virtual std::unique_ptr<Executable> deserialize_in_place(ByteView blob,
                                                           std::shared_ptr<const void> /*owner*/,
                                                           const Graph& graph,
                                                           const CompileOptions& options) {
    return deserialize(blob, graph, options);
  }
};

}  // namespace chexnet_trt
