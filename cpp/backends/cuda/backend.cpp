#include "backends/cuda/backend.hpp"

#include <cstring>

#include "backends/blob.hpp"
#include "backends/cuda/compiled_program.hpp"
#include "backends/cuda/device.hpp"
#include "backends/cuda/fusion.hpp"
#include "backends/cuda/tile_timer.hpp"
#include "common/error.hpp"
#include "common/log.hpp"

namespace chexnet_trt::cuda {
namespace {

/// Counts up when kernels or tiles change: blobs and timings of another number are not used.
constexpr int kKernels = 6;

std::string fingerprint_of(const Device& device) {
  return "cuda kernels " + std::to_string(kKernels) + "; " + device.name + " " +
         std::to_string(device.major) + "." + std::to_string(device.minor) + " " +
         std::to_string(device.multiprocessors) + " multiprocessors; driver for CUDA " +
         std::to_string(device.driver);
}

class CudaBackend : public Backend {
 public:
  explicit CudaBackend(Device device)
      : device_(std::move(device)), fingerprint_(fingerprint_of(device_)) {}

  std::string_view name() const override { return "cuda"; }
  std::string fingerprint() const override { return fingerprint_; }
  std::string device_name() const override { return device_.name; }
  std::vector<Precision> precisions() const override {
    return {Precision::kFloat32, Precision::kFloat16, Precision::kBFloat16, Precision::kInt8,
            Precision::kMixed};
  }
  std::shared_ptr<std::byte> allocate_host(std::size_t bytes) override {
    const CurrentDevice current(device_.number);
    try {
      const auto buffer = std::make_shared<PinnedBuffer>(bytes);
      std::memset(buffer->data(), 0, bytes);
      return {buffer, buffer->data()};
    } catch (const BackendError& error) {
      log(Severity::kInfo, std::string(error.what()) + "; copies of pageable memory are slower");
      return Backend::allocate_host(bytes);
    }
  }
  TimingCache* timings() override { return &timings_; }
  std::string unsupported_reason(Op op) const override { return cuda::unsupported_reason(op); }

  std::unique_ptr<Executable> compile(const Graph& graph, const CompileOptions& options) override {
    const CurrentDevice current(device_.number);
    std::shared_ptr<CompiledProgram> compiled = prepare(graph, options);
    const ProgramMemory scratch(*compiled);
    TileTimer timer(scratch.steps);
    const auto time = [&](std::size_t step, std::size_t tile) { return timer.time(step, tile); };
    compiled->tactics = choose_tactics(compiled->program, time, timings_);
    return make_executable(std::move(compiled));
  }

  std::unique_ptr<Executable> deserialize(ByteView blob, const Graph& graph,
                                          const CompileOptions& options) override {
    const CurrentDevice current(device_.number);
    const ByteView text = blob_payload(blob, blob_key(fingerprint_, graph), options);
    std::shared_ptr<CompiledProgram> compiled = prepare(graph, options);
    compiled->tactics = tactics_from_text(text.text(), compiled->program);
    return make_executable(std::move(compiled));
  }

 private:
  std::shared_ptr<CompiledProgram> prepare(const Graph& graph,
                                           const CompileOptions& options) const {
    if (options.batch < 1) throw InputError("the batch must be at least 1");
    auto compiled = std::make_shared<CompiledProgram>(graph, options, device_.number);
    compiled->blob_key = blob_key(fingerprint_, graph);
    return compiled;
  }

  Device device_;
  std::string fingerprint_;
  TimingCache timings_;
};

}  // namespace

std::string missing() { return device_missing(); }

std::unique_ptr<Backend> make_backend(int device) {
  if (const std::string reason = device_missing(); !reason.empty()) throw BackendError(reason);
  Device found = find_device(device);
  if (const std::string reason = too_old(found); !reason.empty()) {
    throw InputError("device " + std::to_string(device) + ": " + reason);
  }
  return std::make_unique<CudaBackend>(std::move(found));
}

}  // namespace chexnet_trt::cuda
