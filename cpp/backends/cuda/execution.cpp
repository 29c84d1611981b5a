#include <cstring>
#include <utility>

#include "backends/cuda/compiled_program.hpp"
#include "backends/cuda/device.hpp"
#include "backends/cuda/launch_graph.hpp"
#include "backends/cuda/layers.hpp"
#include "common/error.hpp"

namespace chexnet_trt::cuda {
namespace {

class CudaExecution : public Execution {
 public:
  explicit CudaExecution(std::shared_ptr<const CompiledProgram> compiled)
      : compiled_(std::move(compiled)),
        memory_(*compiled_),
        layers_(layers_of(compiled_->program, compiled_->tactics)),
        is_staged_(compiled_->bindings.size(), false) {
    for (const BindingInfo& binding : compiled_->bindings) {
      staging_.emplace_back(binding.is_input ? 0 : binding.bytes);
    }
    if (compiled_->options.profiling) {
      layer_ends_.resize(layers_.size());
    } else {
      graph_.capture(stream_.get(), [this] {
        start_.record_in_graph(stream_.get());
        const cudaError_t status = launch_all();
        end_.record_in_graph(stream_.get());
        return status;
      });
    }
  }

  ~CudaExecution() override {
    if (in_flight_) cudaStreamSynchronize(used_);
  }
  CudaExecution(const CudaExecution&) = delete;
  CudaExecution& operator=(const CudaExecution&) = delete;

  void enqueue(const std::vector<Binding>& bindings, StreamHandle stream) override {
    if (in_flight_) throw InputError("enqueue before the previous inference was waited for");
    check_bindings(bindings);
    const CurrentDevice current(compiled_->device);
    used_ = stream == nullptr ? stream_.get() : static_cast<cudaStream_t>(stream);
    bindings_ = bindings;
    begin_.record(used_);
    copy_inputs();
    copied_.record(used_);
    if (compiled_->options.profiling) {
      launch_timed();
    } else {
      graph_.launch(used_);
    }
    copy_outputs();
    done_.record(used_);
    in_flight_ = true;
    ran_ = true;
  }

  void wait() override {
    if (!in_flight_) return;
    in_flight_ = false;
    done_.wait();
    hand_out();
  }

  bool ready() override { return !in_flight_ || done_.is_over(); }

  std::optional<DeviceTimes> device_times() const override {
    if (!ran_ || in_flight_) return std::nullopt;
    return DeviceTimes{copied_.milliseconds_since(begin_), end_.milliseconds_since(start_),
                       done_.milliseconds_since(end_)};
  }

  std::vector<LayerTime> layer_times() const override {
    if (!ran_ || in_flight_) return {};
    std::vector<LayerTime> times;
    for (std::size_t index = 0; index < layer_ends_.size(); ++index) {
      const Event& before = index == 0 ? start_ : layer_ends_[index - 1];
      times.push_back({name_of(layers_[index], compiled_->program),
                       layer_ends_[index].milliseconds_since(before)});
    }
    return times;
  }

 private:
  void check_bindings(const std::vector<Binding>& bindings) const {
    if (bindings.size() != compiled_->bindings.size()) {
      throw InputError("the network needs " + std::to_string(compiled_->bindings.size()) +
                       " bindings, got " + std::to_string(bindings.size()));
    }
    for (std::size_t index = 0; index < bindings.size(); ++index) {
      if (bindings[index].data != nullptr) continue;
      throw InputError("binding " + std::to_string(index) + " has no memory");
    }
  }

  cudaError_t launch(const Layer& layer, cudaStream_t stream) const {
    const std::size_t step = layer.steps.front();
    return memory_.steps[step].launch(compiled_->tactics[step], stream);
  }

  cudaError_t launch_all() const {
    for (const Layer& layer : layers_) {
      const cudaError_t status = launch(layer, stream_.get());
      if (status != cudaSuccess) return status;
    }
    return cudaSuccess;
  }

  void launch_timed() {
    start_.record(used_);
    for (std::size_t index = 0; index < layers_.size(); ++index) {
      check(launch(layers_[index], used_), "launching a kernel");
      layer_ends_[index].record(used_);
    }
    end_.record(used_);
  }

  void copy_inputs() {
    for (std::size_t index = 0; index < bindings_.size(); ++index) {
      if (!compiled_->bindings[index].is_input) continue;
      check(cudaMemcpyAsync(memory_.bindings[index].data(), bindings_[index].data,
                            compiled_->bindings[index].bytes, cudaMemcpyDefault, used_),
            "copying the inputs");
    }
  }

  /// To the caller's memory, or to ours where that is pageable: a copy to it would wait for the
  /// inference.
  void copy_outputs() {
    for (std::size_t index = 0; index < bindings_.size(); ++index) {
      if (compiled_->bindings[index].is_input) continue;
      is_staged_[index] =
          bindings_[index].memory == MemoryKind::kHost && !is_page_locked(bindings_[index].data);
      check(cudaMemcpyAsync(is_staged_[index] ? staging_[index].data() : bindings_[index].data,
                            memory_.bindings[index].data(), compiled_->bindings[index].bytes,
                            cudaMemcpyDefault, used_),
            "copying the outputs");
    }
  }

  void hand_out() {
    for (std::size_t index = 0; index < bindings_.size(); ++index) {
      if (!is_staged_[index]) continue;
      std::memcpy(bindings_[index].data, staging_[index].data(), compiled_->bindings[index].bytes);
    }
  }

  std::shared_ptr<const CompiledProgram> compiled_;
  ProgramMemory memory_;
  std::vector<Layer> layers_;
  std::vector<PinnedBuffer> staging_;  ///< of outputs
  std::vector<bool> is_staged_;        ///< by binding, in the last inference
  Stream stream_;
  LaunchGraph graph_;
  Event begin_;
  Event copied_;
  Event start_;
  Event end_;
  Event done_;
  std::vector<Event> layer_ends_;  ///< when profiling
  std::vector<Binding> bindings_;
  cudaStream_t used_ = nullptr;
  bool in_flight_ = false;
  bool ran_ = false;
};

}  // namespace

std::unique_ptr<Execution> make_execution(std::shared_ptr<const CompiledProgram> compiled) {
  const CurrentDevice current(compiled->device);
  return std::make_unique<CudaExecution>(std::move(compiled));
}

}  // namespace chexnet_trt::cuda
