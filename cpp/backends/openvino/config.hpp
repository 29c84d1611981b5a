#pragma once

#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/core.hpp>
#include <string>

#include "backends/backend.hpp"

namespace chexnet_trt::openvino {

/// The plugin's name of the device that this backend drives.
constexpr const char* kDevice = "CPU";

/// The properties for compiling and importing alike: a blob does not carry them.
ov::AnyMap properties_of(const CompileOptions& options);

/// Raises BackendError when the plugin did not take the precision that was asked for: it falls back
/// to another one without a word.
void check_precision(const ov::CompiledModel& model, Precision asked);

/// True when the plugin keeps the precision hint on this CPU, be it by emulation.
bool honours(ov::Core& core, Precision precision);

/// "AVX2 AVX512F AVX512_VNNI ...": the instruction sets that choose between kernels.
std::string instruction_sets();

/// False on x86 without VNNI or AMX: there products of 8 bits are added in pairs in 16 bits, which
/// saturate, so int8 networks compute something else than what was calibrated.
bool adds_int8_products_exactly();

}  // namespace chexnet_trt::openvino
