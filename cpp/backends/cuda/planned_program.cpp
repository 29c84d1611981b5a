#include "backends/cuda/planned_program.hpp"

#include <cstdint>
#include <limits>
#include <utility>

#include "backends/cuda/fusion.hpp"
#include "common/error.hpp"

namespace chexnet_trt::cuda {
namespace {

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

Program program_of(const Graph& graph, const CompileOptions& options) {
  if (options.batch < 1) throw InputError("the batch must be at least 1");
  return checked(fuse(graph, options.batch, options.precision));
}

}  // namespace

PlannedProgram::PlannedProgram(const Graph& graph, const CompileOptions& compile_options)
    : options(compile_options),
      program(program_of(graph, compile_options)),
      plan(plan_memory(program)),
      bindings(bindings_of(graph, compile_options.batch)) {}

}  // namespace chexnet_trt::cuda
