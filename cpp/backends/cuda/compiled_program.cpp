#include "backends/cuda/compiled_program.hpp"

#include "backends/cuda/memory_estimate.hpp"

namespace chexnet_trt::cuda {
namespace {

/// A thread may read 8 numbers where the last channels of the last pixel are fewer.
constexpr std::size_t kSlack = 256;

MemoryEstimate estimate_execution(const PlannedProgram& planned) {
  MemoryEstimate estimate;
  estimate.activations = planned.plan.bytes + kSlack;
  for (const BindingInfo& binding : planned.bindings) estimate.bindings += binding.bytes;
  return estimate;
}

/// An execution is to fit as well.
DeviceConstants upload(const PlannedProgram& planned) {
  const PackedConstants packed(planned.program);
  MemoryEstimate estimate = estimate_execution(planned);
  estimate.weights = packed.bytes().size();
  require_memory(estimate, memory_size(), planned.options);
  return DeviceConstants(packed);
}

std::size_t arena_bytes(const PlannedProgram& planned) {
  const MemoryEstimate estimate = estimate_execution(planned);
  require_memory(estimate, memory_size(), planned.options);
  return estimate.activations;
}

}  // namespace

CompiledProgram::CompiledProgram(const Graph& graph, const CompileOptions& compile_options,
                                 int device_number)
    : PlannedProgram(graph, compile_options), device(device_number), constants(upload(*this)) {}

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
