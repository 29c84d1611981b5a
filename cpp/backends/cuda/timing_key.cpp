#include "backends/cuda/timing_key.hpp"

namespace chexnet_trt::cuda {
namespace {

void append(std::string& key, const Program& program, int value) {
  if (value < 0) {
    key += "; none";
    return;
  }
  const Value& own = program.values.at(static_cast<std::size_t>(value));
  const Value& owner = program.values.at(static_cast<std::size_t>(place_of(program, value).owner));
  key += "; " + std::string(name_of(own.element));
  for (const std::int64_t extent : {own.height, own.width, own.channels, pitch_of(owner)}) {
    key += " " + std::to_string(extent);
  }
}

}  // namespace

std::string timing_key(const Program& program, const Step& step) {
  const auto& conv = std::get<ConvStep>(step.kind);
  const Epilogue& epilogue = step.epilogue;
  std::string key =
      std::to_string(program.images) + " images; weights " + to_string(conv.weights.shape());
  for (const Spatial& pair : {conv.strides, conv.dilations, conv.pads}) {
    key += " " + std::to_string(pair[0]) + "," + std::to_string(pair[1]);
  }
  append(key, program, conv.input);
  if (conv.prologue) append(key += "; maps to", program, conv.prologue->output);
  append(key, program, epilogue.residual);
  append(key, program, epilogue.output);
  key += epilogue.stores_output ? " stored" : "";
  append(key, program, epilogue.second);
  return key;
}

std::string timing_key(const Program& program, const BackToBack& pair) {
  return timing_key(program, program.steps.at(pair.first)) + " then " +
         timing_key(program, program.steps.at(pair.second)) +
         (pair.stores_middle ? "; both" : "; one");
}

}  // namespace chexnet_trt::cuda
