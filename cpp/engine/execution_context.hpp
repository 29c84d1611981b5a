#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "backends/backend.hpp"
#include "engine/engine.hpp"

namespace chexnet_trt {

/// A queue of inferences, in order, one at a time: several contexts of one engine run side by side.
/// Calls from several threads are safe and take turns.
class ExecutionContext {
 public:
  /// Raises as Engine::require_device.
  explicit ExecutionContext(std::shared_ptr<Engine> engine);
  /// Waits for the inference in flight.
  ~ExecutionContext();
  ExecutionContext(const ExecutionContext&) = delete;
  ExecutionContext& operator=(const ExecutionContext&) = delete;

  const Engine& engine() const { return *engine_; }

  /// Waits for the previous inference, starts this one and returns. `bindings`: inputs, then
  /// outputs, in the engine's order, dense, for `batch`; they stay valid until `wait` returns.
  /// Raises InputError on a wrong batch or binding, and the error of a failed previous inference
  /// that nobody has waited for; nothing is started then.
  void enqueue(std::int64_t batch, const std::vector<Binding>& bindings,
               StreamHandle stream = nullptr);
  /// Blocks until the inference in flight is done; returns at once when there is none. Raises
  /// BackendError if it failed, once.
  void wait();
  /// Whether `wait` would return at once.
  bool ready();
  /// `enqueue`, then `wait`.
  void execute(std::int64_t batch, const std::vector<Binding>& bindings);
  /// Of the last inference that was waited for; empty without a clock of the device's.
  std::optional<DeviceTimes> device_times();
  /// Of the last inference that was waited for; empty without profiling.
  std::vector<LayerTime> layer_times();

 private:
  /// An execution and the executable that it needs.
  struct Slot {
    std::shared_ptr<Executable> executable;
    std::unique_ptr<Execution> execution;
  };

  void check(const std::vector<Binding>& bindings) const;
  void drop_released_slots();
  Slot& slot(std::int64_t batch);
  Execution& begin(std::int64_t batch, const std::vector<Binding>& bindings);
  void enqueue_locked(std::int64_t batch, const std::vector<Binding>& bindings,
                      StreamHandle stream);
  void wait_locked();

  std::shared_ptr<Engine> engine_;
  std::mutex mutex_;
  std::map<std::int64_t, Slot> slots_;
  Execution* in_flight_ = nullptr;
  Execution* last_ = nullptr;
};

}  // namespace chexnet_trt
