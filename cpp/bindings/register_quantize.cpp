#include <pybind11/stl.h>

#include <memory>

#include "bindings/register.hpp"
#include "passes/quantize.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

QuantizedTypes types_of(bool signed_only) {
  return signed_only ? QuantizedTypes::kInt8 : QuantizedTypes::kInt8AndUInt8;
}

Graph quantized(const Graph& graph, const DynamicRanges& ranges,
                const std::set<std::string>& high_precision, bool signed_only) {
  return quantize(graph, ranges, high_precision, types_of(signed_only));
}

py::list points_of(const Graph& graph, const std::set<std::string>& high_precision,
                   bool signed_only) {
  py::list result;
  const std::vector<QuantizationPoint> points =
      quantization_points(graph, high_precision, types_of(signed_only));
  for (const QuantizationPoint& point : points) {
    result.append(py::make_tuple(graph.node(point.value).name, point.is_unsigned, point.group));
  }
  return result;
}

}  // namespace

void register_quantize(py::module_& module) {
  module.def(
      "quantization_points", &points_of, py::arg("graph"),
      py::arg("high_precision") = std::set<std::string>{}, py::arg("signed_only") = false,
      "(name, unsigned, group) of the values of an optimised graph that int8 quantises, in "
      "order; values of one group share a scale. `signed_only`: for backends without uint8.");
  module.def(
      "quantize", &quantized, py::arg("graph"), py::arg("ranges"),
      py::arg("high_precision") = std::set<std::string>{}, py::arg("signed_only") = false,
      py::call_guard<py::gil_scoped_release>(),
      "The optimised graph with quantize / dequantize nodes. `ranges`: the largest absolute "
      "value (amax) by value name; `high_precision`: layers that stay float32; `signed_only`: "
      "int8 where a backend has no uint8.");
}

}  // namespace chexnet_trt
