#include "backends/cuda/fusion/fold_maps.hpp"

#include <algorithm>
#include <utility>

#include "backends/cuda/fusion/program_builder.hpp"

namespace chexnet_trt::cuda {
namespace {

constexpr std::int64_t kWord = 16;
/// Of a result: what any tile takes at a time is a divisor.
constexpr std::int64_t kRun = 16;

const Value& value_at(const Program& program, int value) {
  return program.values.at(static_cast<std::size_t>(value));
}

std::int64_t width_of(const Value& value) {
  return static_cast<std::int64_t>(size_of(value.element));
}

bool is_relu_or_none(const std::optional<ActivationAttributes>& activation) {
  return !activation || activation->kind == ActivationKind::kRelu;
}

/// Stored alike: as the same type, or both in 8 bits.
bool are_alike(const Value& one, const Value& other) {
  return one.element == other.element || (is_8_bit(one.element) && is_8_bit(other.element));
}

/// The value, none of the network's bindings, begins with a word of its pixel.
bool is_aligned(const Program& program, int value) {
  const Place place = place_of(program, value);
  return value_at(program, place.owner).binding < 0 &&
         place.offset * width_of(value_at(program, value)) % kWord == 0;
}

/// Where an epilogue stores `value` (or nothing) without a branch a number.
bool is_packed(const Program& program, int value, const Value& like) {
  return value < 0 || (are_alike(value_at(program, value), like) && is_aligned(program, value));
}

bool is_prologue(const Program& program, const Step& step) {
  const auto* map = std::get_if<MapStep>(&step.kind);
  const Epilogue& epilogue = step.epilogue;
  if (map == nullptr || epilogue.residual >= 0 || epilogue.second >= 0) return false;
  const Value& input = value_at(program, map->input);
  const Value& output = value_at(program, epilogue.output);
  return are_alike(input, output) && output.parent < 0 && output.binding < 0 &&
         is_aligned(program, map->input) && input.channels * width_of(input) % kWord == 0 &&
         is_relu_or_none(epilogue.activation);
}

bool takes_prologue(const Program& program, const Step& step) {
  const auto* conv = std::get_if<ConvStep>(&step.kind);
  if (conv == nullptr || conv->prologue) return false;
  const Epilogue& epilogue = step.epilogue;
  const Value& input = value_at(program, conv->input);
  const Value& output = value_at(program, epilogue.output);
  const bool rounds = is_8_bit(output.element);
  return is_pointwise(program, step) && output.channels % kRun == 0 &&
         rounds == is_8_bit(input.element) && is_packed(program, epilogue.residual, input) &&
         is_packed(program, epilogue.output, input) && is_packed(program, epilogue.second, input) &&
         is_relu_or_none(epilogue.activation) && is_relu_or_none(epilogue.activation_after) &&
         is_relu_or_none(epilogue.second_activation);
}

/// The only step that reads any part of `value`; nullptr: none or several.
Step* sole_reader(Program& program, int value) {
  const auto lies_in_it = [&](int read) { return place_of(program, read).owner == value; };
  Step* reader = nullptr;
  for (Step& step : program.steps) {
    const std::vector<int> reads = reads_of(step);
    if (std::none_of(reads.begin(), reads.end(), lies_in_it)) continue;
    if (reader != nullptr) return nullptr;
    reader = &step;
  }
  return reader;
}

void fold(Step& map, Step& reader) {
  auto& conv = std::get<ConvStep>(reader.kind);
  conv.input = std::get<MapStep>(map.kind).input;
  conv.prologue = std::move(map.epilogue);
  reader.nodes.insert(reader.nodes.begin(), map.nodes.begin(), map.nodes.end());
}

}  // namespace

void fold_maps(Program& program) {
  std::vector<bool> is_folded(program.steps.size(), false);
  for (std::size_t index = 0; index < program.steps.size(); ++index) {
    Step& map = program.steps[index];
    if (!is_prologue(program, map)) continue;
    const int mapped = map.epilogue.output;
    Step* reader = sole_reader(program, mapped);
    if (reader == nullptr || !takes_prologue(program, *reader)) continue;
    if (std::get<ConvStep>(reader->kind).input != mapped || reader->epilogue.residual == mapped) {
      continue;
    }
    fold(map, *reader);
    is_folded[index] = true;
  }
  std::vector<Step> kept;
  for (std::size_t index = 0; index < program.steps.size(); ++index) {
    if (!is_folded[index]) kept.push_back(std::move(program.steps[index]));
  }
  program.steps = std::move(kept);
}

}  // namespace chexnet_trt::cuda
