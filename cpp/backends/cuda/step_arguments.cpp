#include "backends/cuda/step_arguments.hpp"

#include <utility>

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

Window window_of(const Tensor& weights, const Spatial& strides, const Spatial& pads,
                 const Spatial& dilations) {
  return {narrow(weights.shape()[1]),
          narrow(weights.shape()[2]),
          narrow(strides[0]),
          narrow(strides[1]),
          narrow(pads[0]),
          narrow(pads[1]),
          narrow(dilations[0]),
          narrow(dilations[1])};
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
    return epilogue(from, constants_.epilogue);
  }

  DeviceEpilogue epilogue(const Epilogue& from, const EpilogueConstants& constants) const {
    DeviceEpilogue result;
    result.mul = constants.mul;
    result.add = constants.add;
    result.activation = activation_of(from.activation);
    result.residual = value(from.residual);
    result.activation_after = activation_of(from.activation_after);
    result.output = value(from.output);
    if (!from.stores_output) result.output.data = nullptr;
    result.second_mul = constants.second_mul;
    result.second_add = constants.second_add;
    result.units = constants.units;
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
    arguments.window = window_of(conv.weights, conv.strides, conv.pads, conv.dilations);
    arguments.weights = constants_.weights;
    arguments.epilogue = epilogue(from);
    arguments.has_prologue = conv.prologue.has_value();
    if (conv.prologue) arguments.prologue = epilogue(*conv.prologue, constants_.prologue);
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

  MapArguments operator()(const MapStep& map, const Epilogue& from) const {
    return {{value(map.input), size(map.input), epilogue(from)}};
  }

  MeanArguments operator()(const MeanStep& mean, const Epilogue& from) const {
    return {{value(mean.input), size(mean.input), epilogue(from)}};
  }

  DenseArguments operator()(const DenseStep& dense, const Epilogue& from) const {
    DenseArguments arguments;
    arguments.input = value(dense.input);
    arguments.rows = narrow(program_.images);
    arguments.inputs = narrow(dense.weights.shape()[1]);
    arguments.outputs = narrow(dense.weights.shape()[0]);
    arguments.weights = float_weights();
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

  FlattenArguments operator()(const FlattenStep& flatten, const Epilogue& from) const {
    auto arguments = simple<FlattenArguments>(flatten.input, from);
    arguments.channels_first = flatten.channels_first;
    return arguments;
  }

  SoftmaxArguments operator()(const SoftmaxStep& softmax, const Epilogue& from) const {
    return simple<SoftmaxArguments>(softmax.input, from);
  }

  GroupedConvArguments operator()(const GroupedConvStep& conv, const Epilogue& from) const {
    auto arguments = simple<GroupedConvArguments>(conv.input, from);
    arguments.input.scale = 1;
    arguments.window = window_of(conv.weights, conv.strides, conv.pads, conv.dilations);
    arguments.group_inputs = narrow(conv.weights.shape()[3]);
    arguments.group_outputs = narrow(conv.weights.shape()[0] / conv.groups);
    arguments.weights = float_weights();
    return arguments;
  }

  TransposedConvArguments operator()(const TransposedConvStep& conv, const Epilogue& from) const {
    auto arguments = simple<TransposedConvArguments>(conv.input, from);
    arguments.window = window_of(conv.weights, conv.strides, conv.pads, {1, 1});
    arguments.weights = float_weights();
    return arguments;
  }

  UnaryArguments operator()(const UnaryStep& unary, const Epilogue& from) const {
    auto arguments = simple<UnaryArguments>(unary.input, from);
    arguments.kind = unary.kind;
    return arguments;
  }

  PairArguments operator()(const PairStep& pair, const Epilogue& from) const {
    auto arguments = simple<PairArguments>(pair.input, from);
    arguments.kind = pair.kind;
    arguments.left = operand(pair.input, from);
    arguments.right = pair.other >= 0 ? operand(pair.other, from) : PairOperand{};
    if (pair.other < 0) arguments.right.per_channel = float_weights();
    if (pair.is_reversed) std::swap(arguments.left, arguments.right);
    return arguments;
  }

  WindowArguments operator()(const WindowStep& window, const Epilogue& from) const {
    auto arguments = simple<WindowArguments>(window.input, from);
    for (std::size_t axis = 0; axis < window.begin.size(); ++axis) {
      arguments.begin[axis] = narrow(window.begin[axis]);
      arguments.stride[axis] = narrow(window.strides[axis]);
    }
    return arguments;
  }

  LrnArguments operator()(const LrnStep& lrn, const Epilogue& from) const {
    auto arguments = simple<LrnArguments>(lrn.input, from);
    arguments.radius = narrow(lrn.attributes.radius);
    arguments.alpha = static_cast<float>(lrn.attributes.alpha);
    arguments.beta = static_cast<float>(lrn.attributes.beta);
    arguments.bias = static_cast<float>(lrn.attributes.bias);
    return arguments;
  }

  ReduceArguments operator()(const ReduceStep& reduce, const Epilogue& from) const {
    auto arguments = simple<ReduceArguments>(reduce.input, from);
    arguments.kind = reduce.kind;
    return arguments;
  }

 private:
  template <typename Arguments>
  Arguments simple(int input, const Epilogue& from) const {
    Arguments arguments;
    arguments.input = value(input);
    arguments.input_size = size(input);
    arguments.output_size = size(from.output);
    arguments.epilogue = epilogue(from);
    return arguments;
  }

  PairOperand operand(int index, const Epilogue& from) const {
    const ImageSize own = size(index);
    const ImageSize result = size(from.output);
    PairOperand operand;
    operand.value = value(index);
    operand.is_one_pixel = own.height != result.height || own.width != result.width;
    return operand;
  }

  const float* float_weights() const { return reinterpret_cast<const float*>(constants_.weights); }

  const Value& value_at(int index) const {
    return program_.values.at(static_cast<std::size_t>(index));
  }

  const Program& program_;
  const MemoryPlan& plan_;
  const StepConstants& constants_;
  const DeviceMemory& memory_;
};

}  // namespace

StepArguments bind_step(const Program& program, const MemoryPlan& plan,
                        const StepConstants& constants, const DeviceMemory& memory,
                        const Step& step) {
  const Binder bind(program, plan, constants, memory);
  return std::visit([&](const auto& kind) -> StepArguments { return bind(kind, step.epilogue); },
                    step.kind);
}

}  // namespace chexnet_trt::cuda
