#include "backends/cuda/backend.hpp"

#include <cstring>

#include "backends/blob.hpp"
#include "backends/cuda/compiled_program.hpp"
#include "backends/cuda/device.hpp"
#include "backends/cuda/deviceless_backend.hpp"
#include "backends/cuda/executable.hpp"
#include "backends/cuda/fingerprint.hpp"
#include "backends/cuda/fusion.hpp"
#include "backends/cuda/tile_timer.hpp"
#include "common/error.hpp"
#include "common/log.hpp"

namespace chexnet_trt::cuda {
namespace {

class CudaBackend : public Backend {
 public:
  explicit CudaBackend(Device device)
      : device_(std::move(device)), fingerprint_(fingerprint_of(device_)) {}

  std::string_view name() const override { return "cuda"; }
  std::string fingerprint() const override { return fingerprint_; }
  std::string device_name() const override { return device_.name; }
  std::vector<Precision> precisions() const override { return cuda::precisions(); }
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
    return executable_of(std::move(compiled));
  }

  std::unique_ptr<Executable> deserialize(ByteView blob, const Graph& graph,
                                          const CompileOptions& options) override {
    const CurrentDevice current(device_.number);
    const ByteView text = blob_payload(blob, blob_key(fingerprint_, graph), options);
    std::shared_ptr<CompiledProgram> compiled = prepare(graph, options);
    compiled->tactics = tactics_from_text(text.text(), compiled->program);
    return executable_of(std::move(compiled));
  }

 private:
  std::shared_ptr<CompiledProgram> prepare(const Graph& graph,
                                           const CompileOptions& options) const {
    auto compiled = std::make_shared<CompiledProgram>(graph, options, device_.number);
    compiled->blob_key = blob_key(fingerprint_, graph);
    return compiled;
  }

  static std::unique_ptr<Executable> executable_of(
      std::shared_ptr<const CompiledProgram> compiled) {
    return make_executable(compiled, [compiled] { return make_execution(compiled); });
  }

  Device device_;
  std::string fingerprint_;
  TimingCache timings_;
};

}  // namespace

std::string cannot_run() { return device_missing(); }

std::vector<Precision> precisions() {
  return {Precision::kFloat32, Precision::kFloat16, Precision::kBFloat16, Precision::kInt8,
          Precision::kMixed};
}

std::unique_ptr<Backend> make_backend(int device) {
  if (std::string reason = cannot_run(); !reason.empty()) {
    return make_deviceless_backend(std::move(reason));
  }
  Device found = find_device(device);
  if (const std::string reason = too_old(found); !reason.empty()) {
    throw InputError("device " + std::to_string(device) + ": " + reason);
  }
  return std::make_unique<CudaBackend>(std::move(found));
}

}  // namespace chexnet_trt::cuda
