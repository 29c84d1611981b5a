#include "backends/openvino/executable.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <openvino/core/model.hpp>
#include <openvino/runtime/infer_request.hpp>
#include <optional>
#include <ostream>
#include <utility>

#include "backends/blob.hpp"
#include "backends/openvino/byte_stream.hpp"
#include "backends/openvino/element_types.hpp"
#include "backends/openvino/errors.hpp"
#include "backends/openvino/level_product.hpp"
#include "backends/openvino/runtime_layers.hpp"

namespace chexnet_trt::openvino {
namespace {

class OpenVinoExecution : public Execution {
 public:
  OpenVinoExecution(ov::CompiledModel model, std::shared_ptr<const void> kept, bool profiling)
      : kept_(std::move(kept)),
        model_(std::move(model)),
        request_(model_.create_infer_request()),
        profiling_(profiling) {}

  ~OpenVinoExecution() override {
    try {
      wait();
    } catch (const std::exception&) {  // nobody is left to hear of it
      failure_.reset();
    }
  }

  OpenVinoExecution(const OpenVinoExecution&) = delete;
  OpenVinoExecution& operator=(const OpenVinoExecution&) = delete;

  void enqueue(const std::vector<Binding>& bindings, StreamHandle stream) override {
    if (stream != nullptr) throw InputError("the openvino backend has no streams of the caller's");
    prepare(bindings);
    guarded("starting the inference", [&] { request_.start_async(); });
    in_flight_ = true;
    ran_ = true;
  }

  void wait() override {
    if (in_flight_) {
      settle([this] { request_.wait(); });
      in_flight_ = false;
    }
    if (failure_) throw BackendError(*failure_);
  }

  void execute(const std::vector<Binding>& bindings) override {
    prepare(bindings);
    settle([this] { request_.infer(); });
    ran_ = true;
    wait();
  }

  bool ready() override {
    if (!in_flight_) return true;
    bool done = true;
    settle([&] { done = request_.wait_for(std::chrono::milliseconds(0)); });
    if (done) in_flight_ = false;
    return done;
  }

  std::vector<LayerTime> layer_times() const override {
    if (!profiling_ || !ran_) return {};
    return guarded("reading the profile", [this] {
      std::vector<LayerTime> times;
      for (const ov::ProfilingInfo& info : request_.get_profiling_info()) {
        if (info.status != ov::ProfilingInfo::Status::EXECUTED) continue;
        times.push_back({info.node_name, static_cast<double>(info.real_time.count()) / 1000.0});
      }
      return times;
    });
  }

 private:
  void prepare(const std::vector<Binding>& bindings) {
    if (in_flight_) throw InputError("enqueue before the previous inference was waited for");
    check(bindings);
    failure_.reset();
    guarded("setting the bindings", [&] { bind(bindings); });
  }

  void check(const std::vector<Binding>& bindings) const {
    const std::size_t expected = model_.inputs().size() + model_.outputs().size();
    if (bindings.size() != expected) {
      throw InputError("the network needs " + std::to_string(expected) + " bindings, got " +
                       std::to_string(bindings.size()));
    }
    for (std::size_t index = 0; index < bindings.size(); ++index) {
      const std::string which = "binding " + std::to_string(index);
      if (bindings[index].memory != MemoryKind::kHost) {
        throw InputError(which + " lies in device memory; the openvino backend needs host memory");
      }
      if (bindings[index].data == nullptr) throw InputError(which + " has no memory");
    }
    check_int64(bindings);
  }

  void check_int64(const std::vector<Binding>& bindings) const {
    for (std::size_t index = 0; index < model_.inputs().size(); ++index) {
      const auto& port = model_.inputs()[index];
      if (port.get_element_type() != ov::element::i64) continue;
      const auto beyond =
          first_beyond_int32(bindings[index].data, ov::shape_size(port.get_shape()));
      if (!beyond) continue;
      throw InputError("binding " + std::to_string(index) + " holds " + std::to_string(*beyond) +
                       ", and the openvino backend computes int64 in 32 bits");
    }
  }

  /// The caller's memory becomes the request's tensors; unchanged pointers are left alone.
  void bind(const std::vector<Binding>& bindings) {
    bound_.resize(bindings.size(), nullptr);
    const std::size_t inputs = model_.inputs().size();
    for (std::size_t index = 0; index < bindings.size(); ++index) {
      void* data = bindings[index].data;
      if (bound_[index] == data) continue;
      bound_[index] = nullptr;
      const bool is_input = index < inputs;
      const auto& port = is_input ? model_.inputs()[index] : model_.outputs()[index - inputs];
      const ov::Tensor tensor(port.get_element_type(), port.get_shape(), data);
      if (is_input) {
        request_.set_input_tensor(index, tensor);
      } else {
        request_.set_output_tensor(index - inputs, tensor);
      }
      bound_[index] = data;
    }
  }

  /// A failed inference is over, and `wait` reports it.
  template <typename Wait>
  void settle(Wait wait) {
    try {
      guarded("inference failed", wait);
    } catch (const BackendError& error) {
      failure_ = error.what();
    }
  }

  std::shared_ptr<const void> kept_;
  ov::CompiledModel model_;
  mutable ov::InferRequest request_;
  std::vector<void*> bound_;
  std::optional<std::string> failure_;
  bool profiling_;
  bool in_flight_ = false;
  bool ran_ = false;
};

std::string kernel_of(const std::string& own_type) {
  if (own_type == "ConcatNormalise") return "avx512_i8";
  return best_product_kernel() == ProductKernel::kAmx ? "avx512_amx_i8" : "avx512_vnni_i8";
}

class OpenVinoExecutable : public Executable {
 public:
  OpenVinoExecutable(ov::CompiledModel model, std::string fingerprint,
                     const CompileOptions& options, std::shared_ptr<const void> kept, ByteView blob)
      : kept_(std::move(kept)),
        blob_(blob),
        model_(std::move(model)),
        fingerprint_(std::move(fingerprint)),
        options_(options) {}

  std::unique_ptr<Execution> create_execution() override {
    return guarded("creating an execution", [this] {
      return std::make_unique<OpenVinoExecution>(model_, kept_, options_.profiling);
    });
  }

  std::vector<LayerInfo> layers() const override {
    return guarded("reading the layers", [this] {
      std::vector<LayerInfo> result;
      for (const auto& node : model_.get_runtime_model()->get_ordered_ops()) {
        std::string type = runtime_info(*node, "layerType");
        // Constants do not run, and OpenVINO numbers those that it makes anew in every compilation.
        if (type == "Const") continue;
        std::string precision = runtime_info(*node, "runtimePrecision");
        std::string kernel = runtime_info(*node, "primitiveType");
        if (const std::string own = own_type(*node); !own.empty()) {
          type = own;
          precision = "i8";  // OpenVINO takes the scales' float32 for it
          kernel = kernel_of(own);
        }
        result.push_back({node->get_friendly_name(), std::move(type), std::move(precision),
                          std::move(kernel), node_names(*node)});
      }
      return result;
    });
  }

  std::vector<std::byte> serialize() const override {
    // OpenVINO 2026.4 cannot read what it exports from an imported model.
    if (blob_.size != 0) return {blob_.begin(), blob_.end()};
    return guarded("exporting the compiled network", [this] {
      BlobWriter writer(fingerprint_, options_);
      ByteVectorBuffer buffer(writer.bytes());
      std::ostream stream(&buffer);
      stream.exceptions(std::ios_base::badbit | std::ios_base::failbit);
      // Exporting only reads, but OpenVINO does not promise that it may run twice at once.
      ov::CompiledModel model = model_;
      model.export_model(stream);
      return writer.finish();
    });
  }

 private:
  std::shared_ptr<const void> kept_;
  ByteView blob_;
  ov::CompiledModel model_;
  std::string fingerprint_;
  CompileOptions options_;
};

}  // namespace

std::unique_ptr<Executable> make_executable(ov::CompiledModel model, std::string fingerprint,
                                            const CompileOptions& options,
                                            std::shared_ptr<const void> kept, ByteView blob) {
  return std::make_unique<OpenVinoExecutable>(std::move(model), std::move(fingerprint), options,
                                              std::move(kept), blob);
}

}  // namespace chexnet_trt::openvino
