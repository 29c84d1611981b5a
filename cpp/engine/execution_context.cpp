#include "engine/execution_context.hpp"

#include <utility>

#include "common/error.hpp"
#include "common/log.hpp"

namespace chexnet_trt {

ExecutionContext::ExecutionContext(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {
  engine_->require_device();
}

ExecutionContext::~ExecutionContext() {
  try {
    wait();
  } catch (const std::exception& error) {
    log(Severity::kWarning,
        std::string("an inference that nobody waited for failed: ") + error.what());
  }
}

void ExecutionContext::enqueue(std::int64_t batch, const std::vector<Binding>& bindings,
                               StreamHandle stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  enqueue_locked(batch, bindings, stream);
}

void ExecutionContext::wait() {
  const std::lock_guard<std::mutex> lock(mutex_);
  wait_locked();
}

bool ExecutionContext::ready() {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  return in_flight_ == nullptr || in_flight_->ready();
}

void ExecutionContext::execute(std::int64_t batch, const std::vector<Binding>& bindings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  begin(batch, bindings).execute(bindings);
}

std::optional<DeviceTimes> ExecutionContext::device_times() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (last_ == nullptr || in_flight_ != nullptr) return std::nullopt;
  return last_->device_times();
}

std::vector<LayerTime> ExecutionContext::layer_times() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (last_ == nullptr || in_flight_ != nullptr) return {};
  return last_->layer_times();
}

void ExecutionContext::check(const std::vector<Binding>& bindings) const {
  const std::vector<TensorInfo>& inputs = engine_->inputs();
  const std::vector<TensorInfo>& outputs = engine_->outputs();
  if (bindings.size() != inputs.size() + outputs.size()) {
    throw InputError("the engine has " + std::to_string(inputs.size()) + " inputs and " +
                     std::to_string(outputs.size()) + " outputs, got " +
                     std::to_string(bindings.size()) + " bindings");
  }
  for (std::size_t index = 0; index < bindings.size(); ++index) {
    if (bindings[index].data != nullptr) continue;
    const bool is_input = index < inputs.size();
    const TensorInfo& info = is_input ? inputs[index] : outputs[index - inputs.size()];
    throw InputError(std::string(is_input ? "input" : "output") + " '" + info.name +
                     "' is bound to no memory");
  }
}

/// Nothing is in flight.
ExecutionContext::Slot& ExecutionContext::slot(std::int64_t batch) {
  std::shared_ptr<Executable> executable = engine_->executable(batch);
  const auto found = slots_.find(batch);
  if (found != slots_.end() && found->second.executable == executable) return found->second;
  drop_released_slots();
  Slot slot;
  slot.execution = executable->create_execution();
  slot.executable = std::move(executable);
  return slots_.emplace(batch, std::move(slot)).first->second;
}

/// The engine lets executables go to save memory, which takes those who hold them to do so too.
void ExecutionContext::drop_released_slots() {
  for (auto entry = slots_.begin(); entry != slots_.end();) {
    const Slot& slot = entry->second;
    if (engine_->holds(entry->first, slot.executable.get())) {
      ++entry;
      continue;
    }
    if (last_ == slot.execution.get()) last_ = nullptr;
    entry = slots_.erase(entry);
  }
}

void ExecutionContext::enqueue_locked(std::int64_t batch, const std::vector<Binding>& bindings,
                                      StreamHandle stream) {
  Execution& execution = begin(batch, bindings);
  execution.enqueue(bindings, stream);
  in_flight_ = &execution;
}

/// Nothing is in flight from then on.
Execution& ExecutionContext::begin(std::int64_t batch, const std::vector<Binding>& bindings) {
  check(bindings);
  wait_locked();
  last_ = slot(batch).execution.get();
  return *last_;
}

void ExecutionContext::wait_locked() {
  if (in_flight_ != nullptr) std::exchange(in_flight_, nullptr)->wait();
}

}  // namespace chexnet_trt
