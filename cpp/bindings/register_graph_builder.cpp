#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bindings/node_view.hpp"
#include "bindings/register.hpp"
#include "common/error.hpp"
#include "graph/op_table.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

/// None is the batch.
Axes extents_from(const py::handle& value) {
  Axes extents;
  for (const py::handle extent : py::cast<py::sequence>(value)) {
    extents.push_back(extent.is_none() ? kBatch : py::cast<std::int64_t>(extent));
  }
  return extents;
}

/// A copy; uint16 is how NumPy holds bfloat16, as in Node.value.
Tensor tensor_from(const py::handle& value) {
  const auto array = py::array::ensure(value, py::array::c_style);
  if (!array) throw InputError("no array");
  const auto name = py::cast<std::string>(py::str(array.dtype()));
  const ElementType element =
      name == "uint16" ? ElementType::kBFloat16 : element_type_from_name(name);
  return Tensor::copy(element, Shape(array.shape(), array.shape() + array.ndim()),
                      {array.data(), static_cast<std::size_t>(array.nbytes())});
}

/// Sets the fields of an attribute struct from a dict; what is not given keeps its default.
class AttributeSetter {
 public:
  explicit AttributeSetter(const py::dict& given) : given_(given) {}

  template <typename Value>
  void operator()(const char* field, Value& value) {
    known_.insert(field);
    if (!given_.contains(field)) return;
    try {
      set(given_[field], value);
    } catch (const py::cast_error&) {
      throw InputError(std::string(field) + " cannot be " +
                       py::cast<std::string>(py::repr(given_[field])));
    } catch (const InputError& error) {
      throw InputError(std::string(field) + ": " + error.what());
    }
  }

  void refuse_unknown() const {
    for (const auto& [key, value] : given_) {
      const auto name = py::cast<std::string>(py::str(key));
      if (known_.count(name) == 0) throw InputError("it has no attribute '" + name + "'");
    }
  }

 private:
  static void set(const py::handle& given, Axes& value) { value = extents_from(given); }
  static void set(const py::handle& given, Tensor& value) { value = tensor_from(given); }
  static void set(const py::handle& given, Spatial& value) { value = py::cast<Spatial>(given); }
  static void set(const py::handle& given, std::int64_t& value) {
    value = py::cast<std::int64_t>(given);
  }
  static void set(const py::handle& given, bool& value) { value = py::cast<bool>(given); }
  static void set(const py::handle& given, double& value) { value = py::cast<double>(given); }
  static void set(const py::handle& given, ElementType& value) {
    value = element_type_from_name(py::cast<std::string>(given));
  }
  template <typename Enum>
  static void set(const py::handle& given, Enum& value) {
    from_name(py::cast<std::string>(given), value);
  }

  const py::dict& given_;
  std::set<std::string> known_;
};

class GraphBuilder {
 public:
  NodeView add(const std::string& op, const std::string& name,
               const std::vector<std::string>& inputs, const py::dict& attributes) {
    Graph& graph = open();
    const OpInfo& info = info_of(op_from_name(op));
    std::vector<NodeId> ids;
    for (const std::string& input : inputs) ids.push_back(existing(input, name));
    return {graph_, graph.add(info.op, name, std::move(ids), read(info, name, attributes))};
  }
  void add_output(const std::string& name, const std::string& node) {
    open().add_output(name, existing(node, name));
  }
  std::shared_ptr<Graph> finish() {
    open().verify();
    return std::move(graph_);
  }

 private:
  Graph& open() {
    if (!graph_) throw InputError("the graph is finished; begin another GraphBuilder");
    return *graph_;
  }
  NodeId existing(const std::string& name, const std::string& reader) {
    const NodeId id = open().find(name);
    if (id < 0) throw InputError("'" + reader + "' reads '" + name + "', which is not there");
    return id;
  }
  static Attributes read(const OpInfo& info, const std::string& name, const py::dict& given) {
    Attributes attributes = default_attributes(info.op);
    AttributeSetter setter(given);
    try {
      std::visit([&](auto& fields) { fields.visit(fields, setter); }, attributes);
      setter.refuse_unknown();
    } catch (const InputError& error) {
      throw InputError("node '" + name + "' (" + std::string(info.name) + "): " + error.what());
    }
    return attributes;
  }

  std::shared_ptr<Graph> graph_ = std::make_shared<Graph>();
};

}  // namespace

void register_graph_builder(py::module_& module) {
  py::class_<GraphBuilder>(module, "GraphBuilder", "Makes a Graph node by node.")
      .def(py::init<>())
      .def("add", &GraphBuilder::add, py::arg("op"), py::arg("name"),
           py::arg("inputs") = std::vector<std::string>(), py::arg("attributes") = py::dict(),
           "Adds a node that reads the nodes named in `inputs`; `attributes` as Node.attributes "
           "has them, what is not given keeps its default. Raises InputError where the op table "
           "refuses it.")
      .def("add_output", &GraphBuilder::add_output, py::arg("name"), py::arg("node"),
           "Publishes a node's value as the output `name`.")
      .def("finish", &GraphBuilder::finish, "The graph, verified; nothing can be added then.");
}

}  // namespace chexnet_trt
