#include "backends/cuda/deviceless_backend.hpp"

#include <optional>
#include <utility>

#include "backends/blob.hpp"
#include "backends/cuda/backend.hpp"
#include "backends/cuda/executable.hpp"
#include "backends/cuda/fingerprint.hpp"
#include "backends/cuda/fusion.hpp"
#include "common/error.hpp"

namespace chexnet_trt::cuda {
namespace {

Tactics untimed_tactics(const Program& program) {
  TimingCache none;
  return choose_tactics(program, [](std::size_t, std::size_t) { return std::nullopt; }, none);
}

class DevicelessBackend : public Backend {
 public:
  explicit DevicelessBackend(std::string cannot_run) : cannot_run_(std::move(cannot_run)) {}

  std::string_view name() const override { return "cuda"; }
  std::string fingerprint() const override { return fingerprint_without_device(); }
  std::string device_name() const override { return "no GPU, kernels not timed"; }
  std::string cannot_run() const override { return cannot_run_; }
  std::vector<Precision> precisions() const override { return cuda::precisions(); }
  std::string unsupported_reason(Op op) const override { return cuda::unsupported_reason(op); }

  std::unique_ptr<Executable> compile(const Graph& graph, const CompileOptions& options) override {
    std::shared_ptr<PlannedProgram> planned = plan(graph, options);
    planned->tactics = untimed_tactics(planned->program);
    return executable_of(std::move(planned));
  }

  std::unique_ptr<Executable> deserialize(ByteView blob, const Graph& graph,
                                          const CompileOptions& options) override {
    const ByteView text = blob_payload(blob, blob_key(fingerprint(), graph), options);
    std::shared_ptr<PlannedProgram> planned = plan(graph, options);
    planned->tactics = tactics_from_text(text.text(), planned->program);
    return executable_of(std::move(planned));
  }

 private:
  std::shared_ptr<PlannedProgram> plan(const Graph& graph, const CompileOptions& options) const {
    auto planned = std::make_shared<PlannedProgram>(graph, options);
    planned->blob_key = blob_key(fingerprint(), graph);
    return planned;
  }

  std::unique_ptr<Executable> executable_of(std::shared_ptr<const PlannedProgram> planned) const {
    const auto refuse = [reason = cannot_run_]() -> std::unique_ptr<Execution> {
      throw BackendError(reason);
    };
    return make_executable(std::move(planned), refuse);
  }

  std::string cannot_run_;
};

}  // namespace

std::unique_ptr<Backend> make_deviceless_backend(std::string cannot_run) {
  return std::make_unique<DevicelessBackend>(std::move(cannot_run));
}

}  // namespace chexnet_trt::cuda
