#include "engine/sliced_executable.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <string>
#include <utility>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

/// Waits for every one of them, then raises the first error.
void wait_for_all(const std::vector<std::unique_ptr<Execution>>& executions, std::size_t count) {
  std::exception_ptr failure;
  for (std::size_t index = 0; index < count; ++index) {
    try {
      executions[index]->wait();
    } catch (const std::exception&) {
      if (failure == nullptr) failure = std::current_exception();
    }
  }
  if (failure != nullptr) std::rethrow_exception(failure);
}

class SlicedExecution : public Execution {
 public:
  SlicedExecution(std::vector<std::unique_ptr<Execution>> executions,
                  std::vector<std::vector<std::size_t>> offsets)
      : executions_(std::move(executions)), offsets_(std::move(offsets)) {}

  void enqueue(const std::vector<Binding>& bindings, StreamHandle stream) override {
    for (std::size_t index = 0; index < executions_.size(); ++index) {
      std::vector<Binding> part = bindings;
      for (std::size_t which = 0; which < part.size(); ++which) {
        part[which].data = static_cast<std::byte*>(part[which].data) + offsets_[index].at(which);
      }
      try {
        executions_[index]->enqueue(part, stream);
      } catch (...) {
        settle(index);
        throw;
      }
    }
  }

  void wait() override { wait_for_all(executions_, executions_.size()); }

  bool ready() override {
    return std::all_of(executions_.begin(), executions_.end(),
                       [](const auto& execution) { return execution->ready(); });
  }

  /// The sum over the slices.
  std::vector<LayerTime> layer_times() const override {
    std::vector<LayerTime> times;
    std::map<std::string, std::size_t> index_of;
    for (const auto& execution : executions_) {
      for (LayerTime& time : execution->layer_times()) {
        const auto [found, inserted] = index_of.try_emplace(time.name, times.size());
        if (inserted) {
          times.push_back(std::move(time));
        } else {
          times[found->second].milliseconds += time.milliseconds;
        }
      }
    }
    return times;
  }

 private:
  /// Ends what was started before an enqueue that failed; that failure is the one to report.
  void settle(std::size_t started) {
    for (std::size_t index = 0; index < started; ++index) {
      try {
        executions_[index]->wait();
      } catch (const std::exception&) {
        continue;
      }
    }
  }

  std::vector<std::unique_ptr<Execution>> executions_;
  std::vector<std::vector<std::size_t>> offsets_;  ///< bytes, by slice and binding
};

class SlicedExecutable : public Executable {
 public:
  SlicedExecutable(std::vector<Slice> slices, std::vector<TensorInfo> tensors)
      : slices_(std::move(slices)), tensors_(std::move(tensors)) {}

  std::unique_ptr<Execution> create_execution() override {
    std::vector<std::unique_ptr<Execution>> executions;
    std::vector<std::vector<std::size_t>> offsets;
    std::int64_t first = 0;
    for (const Slice& slice : slices_) {
      executions.push_back(slice.executable->create_execution());
      offsets.emplace_back();
      for (const TensorInfo& info : tensors_) offsets.back().push_back(byte_count(info, first));
      first += slice.batch;
    }
    return std::make_unique<SlicedExecution>(std::move(executions), std::move(offsets));
  }

  std::vector<LayerInfo> layers() const override { return slices_.front().executable->layers(); }
  std::vector<std::byte> serialize() const override {
    throw Error("a batch that runs in slices has no blob of its own");
  }

 private:
  std::vector<Slice> slices_;
  std::vector<TensorInfo> tensors_;  ///< inputs, then outputs
};

}  // namespace

bool can_slice(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs) {
  const auto has_batch = [](const TensorInfo& info) {
    return !info.shape.empty() && info.shape.front() == kBatch;
  };
  return std::all_of(inputs.begin(), inputs.end(), has_batch) &&
         std::all_of(outputs.begin(), outputs.end(), has_batch);
}

std::shared_ptr<Executable> make_sliced(std::vector<Slice> slices, std::vector<TensorInfo> inputs,
                                        std::vector<TensorInfo> outputs) {
  inputs.insert(inputs.end(), outputs.begin(), outputs.end());
  return std::make_shared<SlicedExecutable>(std::move(slices), std::move(inputs));
}

}  // namespace chexnet_trt
