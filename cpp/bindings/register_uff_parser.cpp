#include <pybind11/stl.h>

#include <memory>

#include "bindings/register.hpp"
#include "uff/importer.hpp"
#include "uff/reader.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

using uff::UffInputOrder;
using uff::UffParser;

std::shared_ptr<Graph> parse_path(const UffParser& parser, const std::string& path) {
  const py::gil_scoped_release release;
  return std::make_shared<Graph>(parser.parse_file(path));
}

/// The graph keeps the bytes object alive for its weights.
std::shared_ptr<Graph> parse_bytes(const UffParser& parser, const py::bytes& buffer) {
  const std::string_view view = buffer;
  const std::shared_ptr<const void> owner(new py::bytes(buffer), [](const void* pointer) {
    const py::gil_scoped_acquire acquire;
    delete static_cast<const py::bytes*>(pointer);
  });
  const py::gil_scoped_release release;
  return std::make_shared<Graph>(parser.parse(uff::read(ByteView(view), owner, "the buffer")));
}

}  // namespace

void register_uff_parser(py::module_& module) {
  py::module_ area = py::hasattr(module, "uff")
                         ? py::reinterpret_borrow<py::module_>(module.attr("uff"))
                         : module.def_submodule("uff");
  py::enum_<UffInputOrder>(area, "UffInputOrder", "How the buffer of an input is laid out.")
      .value("NCHW", UffInputOrder::kNCHW)
      .value("NHWC", UffInputOrder::kNHWC)
      .value("NC", UffInputOrder::kNC);
  py::class_<UffParser>(area, "UffParser", "UFF to Graph, with the calls of tensorrt.UffParser.")
      .def(py::init<>())
      .def(
          "register_input",
          [](UffParser& parser, const std::string& name, const Shape& shape, UffInputOrder order,
             const std::string& element_type) {
            return parser.register_input(name, shape, order, element_type_from_name(element_type));
          },
          py::arg("name"), py::arg("shape"), py::arg("order") = UffInputOrder::kNCHW,
          py::arg("element_type") = "float32", "`shape` without the batch.")
      .def("register_output", &UffParser::register_output, py::arg("name"),
           "A node, or the id of a MarkOutput.")
      .def("parse", &parse_path, py::arg("path"), "Reads the file; returns its Graph.")
      .def("parse_buffer", &parse_bytes, py::arg("buffer"),
           "The same from bytes, which the graph keeps for its weights.");
}

}  // namespace chexnet_trt
