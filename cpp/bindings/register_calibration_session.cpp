#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <vector>

#include "bindings/register.hpp"
#include "common/error.hpp"
#include "engine/calibration_session.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

const auto kWithoutGil = py::call_guard<py::gil_scoped_release>();

std::unique_ptr<CalibrationSession> make_session(const Graph& graph, const std::string& backend,
                                                 const std::string& algorithm, double percentile,
                                                 std::int64_t max_batch, int threads,
                                                 std::int64_t sample_limit) {
  CalibrationOptions options;
  options.backend = backend;
  options.method = {calibration_algorithm_from_name(algorithm), percentile};
  options.max_batch = max_batch;
  options.threads = threads;
  options.sample_limit = sample_limit;
  return std::make_unique<CalibrationSession>(graph, options);
}

void add_batch(CalibrationSession& session, std::int64_t batch,
               const std::vector<py::array>& arrays) {
  std::vector<ByteView> inputs;
  for (const py::array& array : arrays) {
    if ((array.flags() & py::array::c_style) == 0) {
      throw InputError("calibration takes C-contiguous arrays");
    }
    inputs.emplace_back(static_cast<const std::byte*>(array.data()),
                        static_cast<std::size_t>(array.nbytes()));
  }
  const py::gil_scoped_release release;
  session.add(inputs, batch);
}

}  // namespace

void register_calibration_session(py::module_& module) {
  py::class_<CalibrationSession>(module, "CalibrationSession",
                                 "Finds dynamic ranges by running an optimised network in fp32.")
      .def(py::init(&make_session), py::arg("graph"), py::kw_only(), py::arg("backend"),
           py::arg("algorithm"), py::arg("percentile"), py::arg("max_batch"), py::arg("threads"),
           py::arg("sample_limit"), kWithoutGil)
      .def_property_readonly("inputs", &CalibrationSession::inputs)
      .def_property_readonly("image_count", &CalibrationSession::image_count)
      .def("add", &add_batch, py::arg("batch"), py::arg("arrays"),
           "`batch` items: a C-contiguous array an input, in the network's order.")
      .def("ranges", &CalibrationSession::ranges, kWithoutGil, "amax by value name.");
  module.def(
      "calibration_method_name",
      [](const std::string& algorithm, double percentile) {
        return to_string(CalibrationMethod{calibration_algorithm_from_name(algorithm), percentile});
      },
      py::arg("algorithm"), py::arg("percentile"), "As tables name it: 'percentile 99.99'.");
}

}  // namespace chexnet_trt
