#include <pybind11/stl.h>

#include <memory>

#include "bindings/register.hpp"
#include "passes/quantize.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

py::list points_of(const Graph& graph, const std::set<std::string>& high_precision) {
  py::list result;
  for (const QuantizationPoint& point : quantization_points(graph, high_precision)) {
    result.append(py::make_tuple(graph.node(point.value).name, point.is_unsigned, point.group));
  }
  return result;
}

}  // namespace

void register_quantize(py::module_& module) {
  module.def("quantization_points", &points_of, py::arg("graph"),
             py::arg("high_precision") = std::set<std::string>{},
             "(name, unsigned, group) of the values of an optimised graph that int8 quantises, in "
             "order; values of one group share a scale.");
  module.def("quantize", &quantize, py::arg("graph"), py::arg("ranges"),
             py::arg("high_precision") = std::set<std::string>{},
             py::call_guard<py::gil_scoped_release>(),
             "The optimised graph with quantize / dequantize nodes. `ranges`: the largest absolute "
             "value (amax) by value name; `high_precision`: layers that stay float32.");
}

}  // namespace chexnet_trt
