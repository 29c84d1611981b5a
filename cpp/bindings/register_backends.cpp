#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "backends/registry.hpp"
#include "bindings/register.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

std::vector<std::string> precisions_of(const std::string& name) {
  std::vector<std::string> names;
  for (const Precision precision : backend(name).precisions()) {
    names.emplace_back(name_of(precision));
  }
  return names;
}

}  // namespace

void register_backends(py::module_& module) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  py::class_<BackendStatus>(module, "BackendStatus")
      .def_readonly("name", &BackendStatus::name)
      .def_readonly("devices", &BackendStatus::devices, "How many are here, numbered from 0.")
      .def_readonly("missing", &BackendStatus::missing,
                    "Empty when it builds engines here, else why not and how to get it.")
      .def_readonly("cannot_run", &BackendStatus::cannot_run,
                    "Empty when it runs engines here, else why not.");
  module.def("backends", &backends, without_gil, "Every backend that the project has.");
  module.def(
      "device_name", [](const std::string& name) { return backend(name).device_name(); },
      py::arg("backend"), without_gil);
  module.def(
      "device_fingerprint", [](const std::string& name) { return backend(name).fingerprint(); },
      py::arg("backend"), without_gil, "What a compiled engine depends on.");
  module.def("device_precisions", &precisions_of, py::arg("backend"), without_gil,
             "The precisions whose kernels the device has: 'fp32' and others.");
}

}  // namespace chexnet_trt
