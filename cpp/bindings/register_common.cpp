#include "bindings/register.hpp"
#include "common/error.hpp"

namespace py = pybind11;

namespace chexnet_trt {

void register_common(py::module_& module) {
  const auto error = py::register_exception<Error>(module, "Error", PyExc_RuntimeError);
  py::register_exception<InputError>(module, "InputError", error);
  py::register_exception<BackendError>(module, "BackendError", error);
}

}  // namespace chexnet_trt
