#pragma once

#include <pybind11/pybind11.h>

namespace chexnet_trt {

// Called by module.cpp in this order: later areas use types of earlier ones.
void register_common(pybind11::module_& module);
void register_images(pybind11::module_& module);
void register_graph(pybind11::module_& module);
void register_graph_builder(pybind11::module_& module);
void register_quantize(pybind11::module_& module);
void register_uff(pybind11::module_& module);
void register_uff_parser(pybind11::module_& module);
void register_calibration(pybind11::module_& module);
void register_log(pybind11::module_& module);
void register_backends(pybind11::module_& module);
void register_engine(pybind11::module_& module);
void register_engine_file(pybind11::module_& module);
void register_calibration_session(pybind11::module_& module);
void register_bench(pybind11::module_& module);

}  // namespace chexnet_trt
