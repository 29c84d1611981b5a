#include "backends/cuda/compiled_program.hpp"

#include <limits>

#include "backends/cuda/fusion.hpp"
#include "common/error.hpp"

namespace chexnet_trt::cuda {
namespace {

/// A thread may read 8 numbers where the last channels of the last pixel are fewer.
constexpr std::size_t kSlack = 256;

std::vector<BindingInfo> bindings_of(const Graph& graph, std::int64_t batch) {
  std::vector<BindingInfo> result;
  const auto add = [&](const ValueType& type, bool is_input) {
    const auto count = static_cast<std::size_t>(element_count(with_batch(type.shape, batch)));
    result.push_back({count * size_of(type.element), is_input});
  };
  for (const NodeId id : graph.inputs()) add(graph.node(id).type, true);
  for (const GraphOutput& output : graph.outputs()) add(graph.node(output.value).type, false);
  return result;
}

/// Kernels count the numbers of a value in 32 bits.
Program checked(Program program) {
  for (const Value& value : program.values) {
    const std::int64_t numbers = program.images * value.height * value.width * pitch_of(value);
    if (numbers <= std::numeric_limits<std::int32_t>::max()) continue;
    throw InputError("'" + value.name + "' of batch " + std::to_string(program.images) + " has " +
                     std::to_string(numbers) +
                     " numbers, more than the cuda backend counts: use a smaller batch");
  }
  return program;
}

MemoryEstimate estimate_execution(const CompiledProgram& compiled) {
  MemoryEstimate estimate;
  estimate.activations = compiled.plan.bytes + kSlack;
  for (const BindingInfo& binding : compiled.bindings) estimate.bindings += binding.bytes;
  return estimate;
}

/// Of a program that is complete but for its constants. An execution is to fit as well.
DeviceConstants upload(const CompiledProgram& compiled) {
  const PackedConstants packed(compiled.program);
  MemoryEstimate estimate = estimate_execution(compiled);
  estimate.weights = packed.bytes().size();
  require_memory(estimate, memory_size(), compiled.options);
  return DeviceConstants(packed);
}

std::size_t arena_bytes(const CompiledProgram& compiled) {
  const MemoryEstimate estimate = estimate_execution(compiled);
  require_memory(estimate, memory_size(), compiled.options);
  return estimate.activations;
}

}  // namespace

CompiledProgram::CompiledProgram(const Graph& graph, const CompileOptions& compile_options,
                                 int device_number)
    : options(compile_options),
      device(device_number),
      program(checked(fuse(graph, compile_options.batch, compile_options.precision))),
      plan(plan_memory(program)),
      bindings(bindings_of(graph, compile_options.batch)),
      constants(upload(*this)) {}

ProgramMemory::ProgramMemory(const CompiledProgram& compiled)
    : arena(arena_bytes(compiled),
            "the activations of batch " + std::to_string(compiled.options.batch)) {
  DeviceMemory memory;
  memory.arena = arena.data();
  for (const BindingInfo& binding : compiled.bindings) {
    bindings.emplace_back(binding.bytes, "inputs and outputs");
    memory.bindings.push_back(bindings.back().data());
  }
  for (std::size_t index = 0; index < compiled.program.steps.size(); ++index) {
    steps.emplace_back(compiled.program, compiled.plan, compiled.constants, memory, index);
  }
}

}  // namespace chexnet_trt::cuda
