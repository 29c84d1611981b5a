#include "backends/cuda/unit_affine.hpp"

#include "backends/cuda/kernels/epilogue_units.hpp"

namespace chexnet_trt::cuda {
namespace {

float floor_of(const std::optional<ActivationAttributes>& activation) {
  return activation && activation->kind == ActivationKind::kRelu ? 0.0F : kNoFloor;
}

EpilogueTypes types_of(const Program& program, const Epilogue& epilogue) {
  EpilogueTypes types;
  const auto value = [&](int index) { return program.values.at(static_cast<std::size_t>(index)); };
  types.output = value(epilogue.output).element;
  types.output_scale = value(epilogue.output).scale;
  types.floor = floor_of(epilogue.residual >= 0 ? epilogue.activation_after : epilogue.activation);
  if (epilogue.second < 0) return types;
  types.second = value(epilogue.second).element;
  types.second_scale = value(epilogue.second).scale;
  types.second_floor = floor_of(epilogue.second_activation);
  return types;
}

/// Of what the epilogue scales: the stored levels, or a sum that is already a number. Nothing: the
/// step's kernel reads no units.
std::optional<float> input_scale(const Program& program, const Step& step) {
  const auto scale = [&](int input) {
    return program.values.at(static_cast<std::size_t>(input)).scale;
  };
  if (std::holds_alternative<ConvStep>(step.kind)) return 1.0F;
  if (const auto* pool = std::get_if<PoolStep>(&step.kind)) return scale(pool->input);
  if (const auto* map = std::get_if<MapStep>(&step.kind)) return scale(map->input);
  return std::nullopt;
}

/// `input`: a number of the epilogue's input in those that it computes with.
std::vector<float> table_of(const Program& program, const Epilogue& epilogue, float input) {
  const EpilogueUnits units(types_of(program, epilogue));
  const auto channels = static_cast<std::size_t>(
      program.values.at(static_cast<std::size_t>(epilogue.output)).channels);
  const std::size_t pitch = (channels + 3) / 4 * 4;
  std::vector<float> table(4 * pitch);
  const auto at = [](const std::vector<float>& values, std::size_t index, float missing) {
    return values.empty() ? missing : values[index];
  };
  for (std::size_t i = 0; i < channels; ++i) {
    table[i] = at(epilogue.affine.mul, i, 1) * input * units.first.mul;
    table[pitch + i] = at(epilogue.affine.add, i, 0) * units.first.add + units.first.offset;
    const float second_mul = at(epilogue.second_affine.mul, i, 1) * units.second.mul;
    table[2 * pitch + i] = second_mul;
    table[3 * pitch + i] = at(epilogue.second_affine.add, i, 0) * units.second.add +
                           units.second.offset - units.range.offset * second_mul;
  }
  return table;
}

}  // namespace

std::vector<float> unit_affine(const Program& program, const Step& step) {
  const std::optional<float> input = input_scale(program, step);
  return input ? table_of(program, step.epilogue, *input) : std::vector<float>();
}

std::vector<float> prologue_affine(const Program& program, const Step& step) {
  const auto* conv = std::get_if<ConvStep>(&step.kind);
  if (conv == nullptr || !conv->prologue) return {};
  const Value& input = program.values.at(static_cast<std::size_t>(conv->input));
  return table_of(program, *conv->prologue, input.scale);
}

}  // namespace chexnet_trt::cuda
