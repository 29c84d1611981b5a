#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>

#include "bindings/node_view.hpp"
#include "bindings/register.hpp"
#include "graph/op_table.hpp"
#include "graph/text.hpp"
#include "passes/class_activation.hpp"
#include "passes/embed_preprocessing.hpp"
#include "passes/pipeline.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

py::tuple shape_tuple(const Shape& shape) {
  py::tuple result(shape.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    result[axis] =
        shape[axis] == kBatch ? py::object(py::none()) : py::object(py::int_(shape[axis]));
  }
  return result;
}

/// The constant's own bytes as a read-only array that keeps them alive. NumPy has no bfloat16; such
/// a constant shows as uint16.
py::array constant_array(const Tensor& tensor) {
  const std::string name =
      tensor.type() == ElementType::kBFloat16 ? "uint16" : std::string(name_of(tensor.type()));
  auto* owner = new std::shared_ptr<const void>(tensor.owner());
  const py::capsule base(
      owner, [](void* pointer) { delete static_cast<std::shared_ptr<const void>*>(pointer); });
  py::array array(py::dtype(name), tensor.shape(), {}, tensor.bytes().data, base);
  array.attr("setflags")(py::arg("write") = false);
  return array;
}

/// Collects the fields of an attribute struct into a dict.
class AttributeCollector {
 public:
  explicit AttributeCollector(py::dict& result) : result_(result) {}

  void operator()(const char* field, const Axes& value) {
    const bool is_shape = std::string_view(field) == "shape";
    result_[field] = is_shape ? py::object(shape_tuple(value)) : py::object(py::cast(value));
  }
  void operator()(const char* field, const Spatial& value) { result_[field] = py::cast(value); }
  void operator()(const char* field, const Tensor& value) {
    result_[field] = constant_array(value);
  }
  void operator()(const char* field, std::int64_t value) { result_[field] = value; }
  void operator()(const char* field, bool value) { result_[field] = value; }
  void operator()(const char* field, double value) { result_[field] = value; }
  template <typename Enum>
  void operator()(const char* field, Enum value) {
    result_[field] = std::string(name_of(value));
  }

 private:
  py::dict& result_;
};

py::dict attributes_of(const Node& node) {
  py::dict result;
  AttributeCollector collector(result);
  std::visit([&](const auto& fields) { fields.visit(fields, collector); }, node.attributes);
  return result;
}

std::vector<NodeView> views(const std::shared_ptr<const Graph>& graph,
                            const std::vector<NodeId>& ids) {
  std::vector<NodeView> result;
  for (const NodeId id : ids) result.push_back({graph, id});
  return result;
}

std::vector<NodeView> all_nodes(const std::shared_ptr<const Graph>& graph) {
  std::vector<NodeView> result;
  for (NodeId id = 0; id < static_cast<NodeId>(graph->nodes().size()); ++id) {
    result.push_back({graph, id});
  }
  return result;
}

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const OpInfo& info : op_table()) names.emplace_back(info.name);
  return names;
}

py::list outputs_of(const std::shared_ptr<const Graph>& graph) {
  py::list result;
  for (const GraphOutput& output : graph->outputs()) {
    result.append(py::make_tuple(output.name, NodeView{graph, output.value}));
  }
  return result;
}

py::tuple optimized(const Graph& graph) {
  std::vector<PassCount> counts;
  auto result = std::make_shared<Graph>();
  {
    const py::gil_scoped_release release;
    *result = optimize(graph, &counts);
  }
  py::list passes;
  for (const PassCount& count : counts) passes.append(py::make_tuple(count.pass, count.rewrites));
  return py::make_tuple(std::move(result), std::move(passes));
}

void register_node(py::module_& module) {
  py::class_<NodeView>(module, "Node", "One operation of a Graph and the value it computes.")
      .def_property_readonly("name", [](const NodeView& view) { return view.node().name; })
      .def_property_readonly(
          "op", [](const NodeView& view) { return std::string(name_of(view.node().op)); })
      .def_property_readonly(
          "inputs", [](const NodeView& view) { return views(view.graph, view.node().inputs); })
      .def_property_readonly(
          "element_type",
          [](const NodeView& view) { return std::string(name_of(view.node().type.element)); },
          "NumPy's name of the element type.")
      .def_property_readonly(
          "shape", [](const NodeView& view) { return shape_tuple(view.node().type.shape); },
          "Extents; None stands for the batch.")
      .def_property_readonly(
          "attributes", [](const NodeView& view) { return attributes_of(view.node()); },
          "Name to value; a constant has its data under 'value'.")
      .def_property_readonly(
          "value",
          [](const NodeView& view) -> py::object {
            const Tensor* tensor = view.graph->constant(view.id);
            return tensor == nullptr ? py::object(py::none()) : constant_array(*tensor);
          },
          "A constant's data as a read-only view without a copy, else None.")
      .def("__eq__",
           [](const NodeView& view, const py::object& other) {
             if (!py::isinstance<NodeView>(other)) return false;
             const auto& right = other.cast<const NodeView&>();
             return view.graph == right.graph && view.id == right.id;
           })
      .def("__hash__",
           [](const NodeView& view) {
             return std::hash<const void*>()(view.graph.get()) ^ std::hash<NodeId>()(view.id);
           })
      .def("__repr__", [](const NodeView& view) {
        return "<Node '" + view.node().name + "' (" + std::string(name_of(view.node().op)) + ") " +
               to_string(view.node().type.shape) + ">";
      });
}

}  // namespace

void register_graph(py::module_& module) {
  register_node(module);
  py::class_<Graph, std::shared_ptr<Graph>>(
      module, "Graph", "An inference network with TensorFlow's semantics; immutable from here.")
      .def_property_readonly(
          "nodes", [](const std::shared_ptr<Graph>& graph) { return all_nodes(graph); },
          "Every node; inputs come before their users.")
      .def_property_readonly(
          "inputs",
          [](const std::shared_ptr<Graph>& graph) { return views(graph, graph->inputs()); })
      .def_property_readonly(
          "outputs", [](const std::shared_ptr<Graph>& graph) { return outputs_of(graph); },
          "(name, node) for each output.")
      .def(
          "find",
          [](const std::shared_ptr<Graph>& graph, const std::string& name) -> py::object {
            const NodeId id = graph->find(name);
            return id < 0 ? py::object(py::none()) : py::cast(NodeView{graph, id});
          },
          py::arg("name"), "The node called `name`, or None.")
      .def(
          "to_text", [](const Graph& graph) { return to_text(graph); },
          "One line a node; constants as offsets into the weights.")
      .def("hash", &Graph::hash, "SHA-256 over structure and weights.")
      .def("verify", &Graph::verify, "Raises InputError naming the first node that is wrong.")
      .def("__len__", [](const Graph& graph) { return graph.nodes().size(); });
  module.def("op_names", &op_names, "Every op of the op table.");
  module.def("optimize", &optimized, py::arg("graph"),
             "Runs the passes. Returns the new graph and (pass, rewrites) for each pass.");
  module.def("embed_preprocessing", &embed_preprocessing, py::arg("graph"), py::arg("mean"),
             py::arg("std"), py::call_guard<py::gil_scoped_release>(),
             "The graph with its image input as uint8, normalised inside: (pixel - mean) / std.");
  module.def("add_class_activation", &add_class_activation, py::arg("graph"),
             py::call_guard<py::gil_scoped_release>(),
             "The graph with its class activation maps as an output more, or InputError.");
  module.attr("CLASS_ACTIVATION_OUTPUT") = kClassActivationOutput;
}

}  // namespace chexnet_trt
