#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/blob.hpp"
#include "backends/cuda/compiled_program.hpp"
#include "backends/cuda/layers.hpp"

namespace chexnet_trt::cuda {
namespace {

class CudaExecutable : public Executable {
 public:
  explicit CudaExecutable(std::shared_ptr<const CompiledProgram> compiled)
      : compiled_(std::move(compiled)) {}

  std::unique_ptr<Execution> create_execution() override { return make_execution(compiled_); }

  std::vector<LayerInfo> layers() const override {
    const Program& program = compiled_->program;
    std::vector<LayerInfo> result;
    for (const Layer& layer : layers_of(program, compiled_->tactics)) {
      const Step& step = program.steps[layer.steps.front()];
      result.push_back({name_of(layer, program), std::string(type_of(step)), precision_of(step),
                        kernel_of(step, compiled_->tactics[layer.steps.front()]),
                        nodes_of(layer, program)});
    }
    return result;
  }

  std::vector<std::byte> serialize() const override {
    BlobWriter writer(compiled_->blob_key, compiled_->options);
    const std::string text = to_text(compiled_->program, compiled_->tactics);
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
        name_of(compiled_->program.values.at(static_cast<std::size_t>(value)).element));
  }

  static std::string kernel_of(const Step& step, std::size_t tactic) {
    std::string kernel(type_of(step));
    if (std::holds_alternative<ConvStep>(step.kind)) {
      kernel += "_" + name_of(conv_tiles().at(tactic));
    }
    return kernel;
  }

  std::shared_ptr<const CompiledProgram> compiled_;
};

}  // namespace

std::unique_ptr<Executable> make_executable(std::shared_ptr<const CompiledProgram> compiled) {
  return std::make_unique<CudaExecutable>(std::move(compiled));
}

}  // namespace chexnet_trt::cuda
