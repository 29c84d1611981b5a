#include "backends/cuda/executable.hpp"

#include <utility>

#include "backends/blob.hpp"
#include "backends/cuda/layers.hpp"

namespace chexnet_trt::cuda {
namespace {

class CudaExecutable : public Executable {
 public:
  CudaExecutable(std::shared_ptr<const PlannedProgram> planned, CreateExecution create)
      : planned_(std::move(planned)), create_(std::move(create)) {}

  std::unique_ptr<Execution> create_execution() override { return create_(); }

  std::vector<LayerInfo> layers() const override {
    const Program& program = planned_->program;
    std::vector<LayerInfo> result;
    for (const Layer& layer : layers_of(program, planned_->tactics)) {
      const Step& step = program.steps[layer.steps.front()];
      result.push_back({name_of(layer, program), std::string(type_of(step)), precision_of(step),
                        kernel_of(step, planned_->tactics[layer.steps.front()]),
                        nodes_of(layer, program)});
    }
    return result;
  }

  std::vector<std::byte> serialize() const override {
    BlobWriter writer(planned_->blob_key, planned_->options);
    const std::string text = to_text(planned_->program, planned_->tactics);
    const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
    writer.bytes().insert(writer.bytes().end(), bytes, bytes + text.size());
    return writer.finish();
  }

 private:
  /// Of what the step reads.
  std::string precision_of(const Step& step) const {
    const std::vector<int> reads = reads_of(step);
    const int value = reads.empty() ? step.epilogue.output : reads.front();
    return std::string(
        name_of(planned_->program.values.at(static_cast<std::size_t>(value)).element));
  }

  static std::string kernel_of(const Step& step, std::size_t tactic) {
    std::string kernel(type_of(step));
    if (std::holds_alternative<ConvStep>(step.kind)) {
      kernel += "_" + name_of(conv_tiles().at(tactic));
    }
    return kernel;
  }

  std::shared_ptr<const PlannedProgram> planned_;
  CreateExecution create_;
};

}  // namespace

std::unique_ptr<Executable> make_executable(std::shared_ptr<const PlannedProgram> planned,
                                            CreateExecution create) {
  return std::make_unique<CudaExecutable>(std::move(planned), std::move(create));
}

}  // namespace chexnet_trt::cuda
