#include "backends/cuda/bound_step.hpp"

namespace chexnet_trt::cuda {
namespace {

std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

DeviceActivation activation_of(const std::optional<ActivationAttributes>& activation) {
  DeviceActivation result;
  if (!activation) return result;
  result.kind = static_cast<int>(activation->kind);
  result.alpha = static_cast<float>(activation->alpha);
  if (activation->kind == ActivationKind::kRelu) result.floor = 0;
  return result;
}

/// The addresses of one step's values.
class Binder {
 public:
  Binder(const Program& program, const MemoryPlan& plan, const StepConstants& constants,
         const DeviceMemory& memory)
      : program_(program), plan_(plan), constants_(constants), memory_(memory) {}

  DeviceValue value(int index) const {
    if (index < 0) return {};
    const Value& own = value_at(index);
    const Value& owner = value_at(place_of(program_, index).owner);
    std::byte* data = own.binding >= 0
                          ? memory_.bindings.at(static_cast<std::size_t>(own.binding))
                          : memory_.arena + plan_.offsets.at(static_cast<std::size_t>(index));
    return {data, own.element, own.scale, 1.0F / own.scale, pitch_of(owner)};
  }

  ImageSize size(int index) const {
    const Value& own = value_at(index);
    return {narrow(program_.images), narrow(own.height), narrow(own.width), narrow(own.channels)};
  }

  DeviceEpilogue epilogue(const Epilogue& from) const {
    DeviceEpilogue result;
    result.mul = constants_.mul;
    result.add = constants_.add;
    result.activation = activation_of(from.activation);
    result.residual = value(from.residual);
    result.activation_after = activation_of(from.activation_after);
    result.output = value(from.output);
    if (!from.stores_output) result.output.data = nullptr;
    result.second_mul = constants_.second_mul;
    result.second_add = constants_.second_add;
    result.units = constants_.units;
    result.second_activation = activation_of(from.second_activation);
    result.second = value(from.second);
    return result;
  }

  InputArguments operator()(const InputStep& input, const Epilogue& from) const {
    InputArguments arguments;
    arguments.data = memory_.bindings.at(input.binding);
    arguments.element = input.element;
    arguments.channels_first = input.channels_first;
    arguments.size = {narrow(program_.images), narrow(input.height), narrow(input.width),
                      narrow(input.channels)};
    arguments.block = static_cast<int>(input.block);
    arguments.pad_y = static_cast<int>(input.pads[0]);
    arguments.pad_x = static_cast<int>(input.pads[1]);
    arguments.output_height = size(from.output).height;
    arguments.output_width = size(from.output).width;
    arguments.epilogue = epilogue(from);
    return arguments;
  }

  ConvArguments operator()(const ConvStep& conv, const Epilogue& from) const {
    ConvArguments arguments;
    arguments.input = value(conv.input);
    arguments.input_size = size(conv.input);
    arguments.output_size = size(from.output);
    arguments.window = {narrow(conv.weights.shape()[1]),
                        narrow(conv.weights.shape()[2]),
                        narrow(conv.strides[0]),
                        narrow(conv.strides[1]),
                        narrow(conv.pads[0]),
                        narrow(conv.pads[1]),
                        narrow(conv.dilations[0]),
                        narrow(conv.dilations[1])};
    arguments.weights = constants_.weights;
    arguments.epilogue = epilogue(from);
    return arguments;
  }

  PoolArguments operator()(const PoolStep& pool, const Epilogue& from) const {
    PoolArguments arguments;
    arguments.input = value(pool.input);
    arguments.input_size = size(pool.input);
    arguments.output_size = size(from.output);
    arguments.window = {narrow(pool.kernel[0]),  narrow(pool.kernel[1]), narrow(pool.strides[0]),
                        narrow(pool.strides[1]), narrow(pool.pads[0]),   narrow(pool.pads[1])};
    arguments.is_max = pool.is_max;
    arguments.epilogue = epilogue(from);
    return arguments;
  }

  PixelArguments pixels(int input, const Epilogue& from) const {
    return {value(input), size(input), epilogue(from)};
  }

  DenseArguments operator()(const DenseStep& dense, const Epilogue& from) const {
    DenseArguments arguments;
    arguments.input = value(dense.input);
    arguments.rows = narrow(program_.images);
    arguments.inputs = narrow(dense.weights.shape()[1]);
    arguments.outputs = narrow(dense.weights.shape()[0]);
    arguments.weights = reinterpret_cast<const float*>(constants_.weights);
    arguments.epilogue = epilogue(from);
    return arguments;
  }

  OutputArguments operator()(const OutputStep& output, const Epilogue& /*from*/) const {
    return {value(output.input), size(output.input), output.channels_first,
            reinterpret_cast<float*>(memory_.bindings.at(output.binding))};
  }

  ArgMaxArguments operator()(const ArgMaxStep& arg_max, const Epilogue& /*from*/) const {
    return {value(arg_max.input), narrow(program_.images), size(arg_max.input).channels,
            arg_max.element, memory_.bindings.at(arg_max.binding)};
  }

 private:
  const Value& value_at(int index) const {
    return program_.values.at(static_cast<std::size_t>(index));
  }

  const Program& program_;
  const MemoryPlan& plan_;
  const StepConstants& constants_;
  const DeviceMemory& memory_;
};

}  // namespace

BoundStep::BoundStep(const Program& program, const MemoryPlan& plan,
                     const DeviceConstants& constants, const DeviceMemory& memory,
                     std::size_t step) {
  const Step& own = program.steps.at(step);
  const Binder bind(program, plan, constants.of(step), memory);
  std::visit(
      [&](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, MapStep>) {
          arguments_ = MapArguments{bind.pixels(kind.input, own.epilogue)};
        } else if constexpr (std::is_same_v<Kind, MeanStep>) {
          arguments_ = MeanArguments{bind.pixels(kind.input, own.epilogue)};
        } else {
          arguments_ = bind(kind, own.epilogue);
        }
      },
      own.kind);
}

cudaError_t BoundStep::launch(std::size_t tile, cudaStream_t stream) const {
  struct Launcher {
    std::size_t tile;
    cudaStream_t stream;
    cudaError_t operator()(const InputArguments& a) const { return launch_input(a, stream); }
    cudaError_t operator()(const ConvArguments& a) const { return launch_conv(a, tile, stream); }
    cudaError_t operator()(const PoolArguments& a) const { return launch_pool(a, stream); }
    cudaError_t operator()(const MapArguments& a) const { return launch_map(a, stream); }
    cudaError_t operator()(const MeanArguments& a) const { return launch_mean(a, stream); }
    cudaError_t operator()(const DenseArguments& a) const { return launch_dense(a, stream); }
    cudaError_t operator()(const OutputArguments& a) const { return launch_output(a, stream); }
    cudaError_t operator()(const ArgMaxArguments& a) const { return launch_arg_max(a, stream); }
  };
  return std::visit(Launcher{tile, stream}, arguments_);
}

}  // namespace chexnet_trt::cuda
