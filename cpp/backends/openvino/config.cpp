#include "backends/openvino/config.hpp"

#include <array>
#include <openvino/op/parameter.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/result.hpp>
#include <openvino/runtime/properties.hpp>

#include "common/error.hpp"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace chexnet_trt::openvino {
namespace {

/// int8 lives in the graph as quantize / dequantize pairs; the hint is for what is not between them.
ov::element::Type hint_of(Precision precision) {
  switch (precision) {
    case Precision::kFloat16: return ov::element::f16;
    case Precision::kBFloat16:
    case Precision::kMixed: return ov::element::bf16;
    default: return ov::element::f32;
  }
}

}  // namespace

ov::AnyMap properties_of(const CompileOptions& options) {
  ov::AnyMap properties{ov::hint::inference_precision(hint_of(options.precision)),
                        ov::hint::execution_mode(ov::hint::ExecutionMode::PERFORMANCE),
                        ov::enable_profiling(options.profiling),
                        // Pinned threads of several engines share cores while others idle.
                        ov::hint::enable_cpu_pinning(false)};
  if (options.streams <= 1) {
    properties.insert(ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY));
  } else {
    properties.insert(ov::num_streams(options.streams));
  }
  if (options.threads > 0) properties.insert(ov::inference_num_threads(options.threads));
  return properties;
}

void check_precision(const ov::CompiledModel& model, Precision asked) {
  const ov::element::Type got = model.get_property(ov::hint::inference_precision);
  if (got == hint_of(asked)) return;
  throw BackendError("this CPU cannot run " + std::string(name_of(asked)) +
                     ": OpenVINO would compute in " + got.get_type_name() +
                     " instead; permit another precision");
}

bool honours(ov::Core& core, Precision precision) {
  const auto input = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, ov::Shape{1, 16});
  const auto result =
      std::make_shared<ov::op::v0::Result>(std::make_shared<ov::op::v0::Relu>(input));
  const auto model =
      std::make_shared<ov::Model>(ov::ResultVector{result}, ov::ParameterVector{input});
  const ov::CompiledModel compiled =
      core.compile_model(model, kDevice, ov::hint::inference_precision(hint_of(precision)),
                         ov::inference_num_threads(1), ov::hint::enable_cpu_pinning(false));
  return compiled.get_property(ov::hint::inference_precision) == hint_of(precision);
}

#if defined(__x86_64__)
std::string instruction_sets() {
  struct Feature {
    unsigned subleaf;
    std::size_t reg;  // 0 eax, 1 ebx, 2 ecx, 3 edx
    unsigned bit;
    const char* name;
  };
  // Leaf 7 of cpuid: Intel SDM volume 2A, table 3-17.
  constexpr std::array<Feature, 9> kFeatures{{
      {0, 1, 5, "AVX2"},
      {0, 1, 16, "AVX512F"},
      {0, 2, 11, "AVX512_VNNI"},
      {1, 0, 4, "AVX_VNNI"},
      {1, 0, 5, "AVX512_BF16"},
      {0, 3, 23, "AVX512_FP16"},
      {0, 3, 22, "AMX_BF16"},
      {0, 3, 25, "AMX_INT8"},
      {1, 0, 21, "AMX_FP16"},
  }};
  std::string result;
  for (const Feature& feature : kFeatures) {
    std::array<unsigned, 4> registers{};
    const int known = __get_cpuid_count(7, feature.subleaf, registers.data(), &registers[1],
                                        &registers[2], &registers[3]);
    if (known == 0 || ((registers.at(feature.reg) >> feature.bit) & 1U) == 0) continue;
    result += (result.empty() ? "" : " ") + std::string(feature.name);
  }
  return result;
}
#else
std::string instruction_sets() { return "generic"; }
#endif

bool adds_int8_products_exactly() {
  const std::string sets = instruction_sets();
  const auto has = [&](const char* name) { return sets.find(name) != std::string::npos; };
  return sets == "generic" || has("VNNI") || has("AMX_INT8");
}

}  // namespace chexnet_trt::openvino
