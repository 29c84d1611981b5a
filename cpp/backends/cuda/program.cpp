#include "backends/cuda/program.hpp"

#include <array>

namespace chexnet_trt::cuda {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<StepKind>> kTypes{
    "input",  "conv",   "pool",    "mean",    "dense",        "map",
    "output", "argmax", "flatten", "softmax", "grouped_conv", "transposed_conv",
    "unary",  "binary", "window",  "lrn",     "reduce"};
constexpr std::size_t kWord = 16;

}  // namespace

std::string_view type_of(const Step& step) { return kTypes.at(step.kind.index()); }

bool is_pointwise(const Program& program, const Step& step) {
  const auto& conv = std::get<ConvStep>(step.kind);
  const Value& input = program.values.at(static_cast<std::size_t>(conv.input));
  const Value& output = program.values.at(static_cast<std::size_t>(step.epilogue.output));
  return conv.weights.shape()[1] == 1 && conv.weights.shape()[2] == 1 &&
         conv.strides == Spatial{1, 1} && conv.pads == Spatial{0, 0} &&
         input.height == output.height && input.width == output.width;
}

int multiplied_of(const ConvStep& conv) {
  return conv.prologue ? conv.prologue->output : conv.input;
}

std::vector<int> reads_of(const Step& step) {
  std::vector<int> result;
  std::visit(
      [&](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (!std::is_same_v<Kind, InputStep>) result.push_back(kind.input);
        if constexpr (std::is_same_v<Kind, PairStep>) {
          if (kind.other >= 0) result.push_back(kind.other);
        }
      },
      step.kind);
  if (step.epilogue.residual >= 0) result.push_back(step.epilogue.residual);
  return result;
}

std::vector<int> writes_of(const Step& step) {
  std::vector<int> result;
  if (const auto* conv = std::get_if<ConvStep>(&step.kind); conv != nullptr && conv->prologue) {
    result.push_back(conv->prologue->output);
  }
  if (step.epilogue.output >= 0 && step.epilogue.stores_output) {
    result.push_back(step.epilogue.output);
  }
  if (step.epilogue.second >= 0) result.push_back(step.epilogue.second);
  return result;
}

Place place_of(const Program& program, int value) {
  Place place{value, 0};
  for (;;) {
    const Value& owner = program.values.at(static_cast<std::size_t>(place.owner));
    if (owner.parent < 0) return place;
    place.offset += owner.offset;
    place.owner = owner.parent;
  }
}

std::int64_t pitch_of(const Value& owner) {
  if (owner.binding >= 0) return owner.channels;
  const auto elements = static_cast<std::int64_t>(kWord / size_of(owner.element));
  return (owner.channels + elements - 1) / elements * elements;
}

}  // namespace chexnet_trt::cuda
