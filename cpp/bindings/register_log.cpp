#include <pybind11/functional.h>

#include <memory>
#include <string>

#include "bindings/register.hpp"
#include "common/log.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

const char* level_of(Severity severity) {
  switch (severity) {
    case Severity::kWarning: return "warning";
    case Severity::kInfo: return "info";
    case Severity::kVerbose: break;
  }
  return "debug";
}

/// A Python object that any thread may drop.
std::shared_ptr<py::object> shared_object(py::object object) {
  return {new py::object(std::move(object)), [](py::object* held) {
            const py::gil_scoped_acquire gil;
            delete held;
          }};
}

/// Messages may come from threads of the core; what the callback raises cannot pass through them.
void set_python_sink(const py::object& callback) {
  LogSink sink;
  if (!callback.is_none()) {
    sink = [held = shared_object(callback)](Severity severity, const std::string& message) {
      const py::gil_scoped_acquire gil;
      try {
        (*held)(level_of(severity), message);
      } catch (py::error_already_set& error) {
        error.discard_as_unraisable("chexnet_trt log sink");
      }
    };
  }
  const py::gil_scoped_release release;
  set_log_sink(std::move(sink));
}

}  // namespace

void register_log(py::module_& module) {
  module.def("set_log_sink", &set_python_sink, py::arg("sink"),
             "Sends log messages to sink(level, message), level being 'warning', 'info' or "
             "'debug'; None sends them nowhere.");
  // No thread may call into an interpreter that is gone.
  py::module_::import("atexit").attr("register")(
      py::cpp_function([] { set_python_sink(py::none()); }));
}

}  // namespace chexnet_trt
