#include "backends/cuda/host_executable.hpp"

#include <cstring>
#include <utility>
#include <vector>

#include "backends/cuda/device_constants.hpp"
#include "backends/cuda/fusion.hpp"
#include "backends/cuda/host_kernels.hpp"
#include "backends/cuda/memory_plan.hpp"

namespace chexnet_trt::testing {
namespace {

using cuda::PackedConstants;

constexpr std::byte kGarbage{0x7e};

struct HostProgram {
  HostProgram(const Graph& graph, const CompileOptions& options)
      : program(cuda::fuse(graph, options.batch, options.precision)),
        plan(cuda::plan_memory(program)),
        constants(program) {
    const auto add = [&](const ValueType& type) {
      const auto count = element_count(with_batch(type.shape, options.batch));
      sizes.push_back(static_cast<std::size_t>(count) * size_of(type.element));
    };
    for (const NodeId id : graph.inputs()) add(graph.node(id).type);
    for (const GraphOutput& output : graph.outputs()) add(graph.node(output.value).type);
    inputs = graph.inputs().size();
  }

  cuda::StepConstants constants_of(std::size_t step) const {
    return constants.of(step, constants.bytes().data());
  }

  cuda::Program program;
  cuda::MemoryPlan plan;
  PackedConstants constants;
  std::vector<std::size_t> sizes;  ///< of bindings, bytes
  std::size_t inputs = 0;
};

class HostExecution : public Execution {
 public:
  explicit HostExecution(std::shared_ptr<const HostProgram> host) : host_(std::move(host)) {}

  void enqueue(const std::vector<Binding>& bindings, StreamHandle /*stream*/) override {
    std::vector<std::byte> arena(host_->plan.bytes, kGarbage);
    std::vector<std::vector<std::byte>> copies;
    cuda::DeviceMemory memory;
    memory.arena = arena.data();
    for (std::size_t index = 0; index < bindings.size(); ++index) {
      copies.emplace_back(host_->sizes[index], kGarbage);
      if (index < host_->inputs) {
        std::memcpy(copies.back().data(), bindings[index].data, copies.back().size());
      }
      memory.bindings.push_back(copies.back().data());
    }
    const cuda::Program& program = host_->program;
    for (std::size_t index = 0; index < program.steps.size(); ++index) {
      run_on_host(cuda::bind_step(program, host_->plan, host_->constants_of(index), memory,
                                  program.steps[index]));
    }
    for (std::size_t index = host_->inputs; index < bindings.size(); ++index) {
      std::memcpy(bindings[index].data, copies[index].data(), copies[index].size());
    }
  }
  void wait() override {}
  bool ready() override { return true; }
  std::vector<LayerTime> layer_times() const override { return {}; }

 private:
  std::shared_ptr<const HostProgram> host_;
};

class HostExecutable : public Executable {
 public:
  HostExecutable(const Graph& graph, const CompileOptions& options)
      : host_(std::make_shared<HostProgram>(graph, options)) {}

  std::unique_ptr<Execution> create_execution() override {
    return std::make_unique<HostExecution>(host_);
  }
  std::vector<LayerInfo> layers() const override { return {}; }
  std::vector<std::byte> serialize() const override { return {}; }

 private:
  std::shared_ptr<const HostProgram> host_;
};

}  // namespace

std::unique_ptr<Executable> make_host_executable(const Graph& graph,
                                                 const CompileOptions& options) {
  return std::make_unique<HostExecutable>(graph, options);
}

}  // namespace chexnet_trt::testing
