#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "bindings/register.hpp"
#include "uff/reader.hpp"
#include "uff/text_format.hpp"
#include "uff/writer.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

using uff::Data;

// The values a field takes in Python: str, float, bool, int, list, any buffer, and these.
struct PyReference {
  std::string key;
};
struct PyDataType {
  std::int64_t value;
};
struct PyOrders {
  uff::DimensionOrders orders;
};
/// Bytes inside a mapped file, which `owner` keeps alive.
struct PyBlob {
  ByteView bytes;
  std::shared_ptr<const void> owner;
};

/// Owns what the views of a graph point at: the file it was read from, and what Python gave.
struct Storage {
  std::shared_ptr<const void> file;
  std::deque<std::string> texts;
  std::deque<py::buffer_info> buffers;
};

/// A MetaGraph with one graph, which also owns its storage.
struct PyMetaGraph {
  uff::MetaGraph meta;
  std::shared_ptr<Storage> storage = std::make_shared<Storage>();

  uff::Graph& graph() { return meta.graphs.front(); }
  std::string_view keep(std::string text) { return storage->texts.emplace_back(std::move(text)); }
};

struct PyDescriptor {
  std::string id;
  std::int64_t version;
  bool optional;
};

struct PyNode {
  std::string id;
  std::string operation;
  std::vector<std::string> inputs;
  py::dict fields;
};

template <class T>
std::vector<T> cast_list(const py::sequence& values) {
  std::vector<T> out;
  for (const py::handle value : values) out.push_back(py::cast<T>(value));
  return out;
}

Data list_to_data(PyMetaGraph& owner, const py::sequence& values) {
  if (values.empty()) return std::vector<std::int64_t>();
  const py::object first = values[0];
  if (py::isinstance<py::bool_>(first)) return cast_list<bool>(values);
  if (py::isinstance<py::int_>(first)) return cast_list<std::int64_t>(values);
  if (py::isinstance<py::float_>(first)) return cast_list<double>(values);
  if (py::isinstance<py::str>(first)) {
    std::vector<std::string_view> texts;
    for (const py::handle value : values) texts.push_back(owner.keep(py::cast<std::string>(value)));
    return texts;
  }
  if (py::isinstance<PyDataType>(first)) {
    std::vector<uff::DataType> types;
    for (const auto& type : cast_list<PyDataType>(values)) {
      types.push_back(static_cast<uff::DataType>(type.value));
    }
    return types;
  }
  std::vector<uff::DimensionOrders> orders;
  for (auto& order : cast_list<PyOrders>(values)) orders.push_back(std::move(order.orders));
  return orders;
}

Data buffer_to_data(PyMetaGraph& owner, const py::buffer& value) {
  py::buffer_info info = value.request();
  if (PyBuffer_IsContiguous(info.view(), 'C') == 0) {
    throw py::value_error("a blob must be contiguous in C order");
  }
  const ByteView bytes(info.ptr, static_cast<std::size_t>(info.view()->len));
  owner.storage->buffers.push_back(std::move(info));
  return uff::Blob{bytes};
}

Data to_data(PyMetaGraph& owner, const py::object& value) {
  if (value.is_none()) return std::monostate();
  if (py::isinstance<py::str>(value)) return owner.keep(py::cast<std::string>(value));
  if (py::isinstance<py::bool_>(value)) return py::cast<bool>(value);
  if (py::isinstance<py::int_>(value)) return py::cast<std::int64_t>(value);
  if (py::isinstance<py::float_>(value)) return py::cast<double>(value);
  if (py::isinstance<PyReference>(value)) {
    return uff::Reference{owner.keep(py::cast<PyReference>(value).key)};
  }
  if (py::isinstance<PyDataType>(value)) {
    return static_cast<uff::DataType>(py::cast<PyDataType>(value).value);
  }
  if (py::isinstance<PyOrders>(value)) return py::cast<PyOrders>(value).orders;
  if (py::isinstance<py::buffer>(value)) return buffer_to_data(owner, value);
  if (py::isinstance<py::sequence>(value)) return list_to_data(owner, value);
  throw py::type_error("no UFF data for a " + py::cast<std::string>(py::str(py::type::of(value))));
}

uff::Fields to_fields(PyMetaGraph& owner, const py::dict& fields) {
  uff::Fields out;
  for (const auto& [key, value] : fields) {
    out.emplace_back(owner.keep(py::cast<std::string>(key)),
                     to_data(owner, py::reinterpret_borrow<py::object>(value)));
  }
  return out;
}

struct ToPython {
  const uff::MetaGraph& meta;

  template <class T>
  py::object operator()(const T& value) const {
    return py::cast(value);
  }
  py::object operator()(std::monostate) const { return py::none(); }
  py::object operator()(const uff::Blob& value) const {
    return py::cast(PyBlob{value.bytes, meta.owner});
  }
  py::object operator()(const uff::Reference& value) const {
    return py::cast(PyReference{std::string(value.key)});
  }
  py::object operator()(uff::DataType value) const {
    return py::cast(PyDataType{static_cast<std::int64_t>(value)});
  }
  py::object operator()(const std::vector<uff::DataType>& values) const {
    py::list out;
    for (const auto value : values) out.append((*this)(value));
    return out;
  }
  py::object operator()(const uff::DimensionOrders& value) const {
    return py::cast(PyOrders{value});
  }
  py::object operator()(const std::vector<uff::DimensionOrders>& values) const {
    py::list out;
    for (const auto& value : values) out.append((*this)(value));
    return out;
  }
};

py::dict to_dict(const uff::MetaGraph& meta, const uff::Fields& fields) {
  py::dict out;
  for (const auto& [key, data] : fields) {
    out[py::str(key.data(), key.size())] = std::visit(ToPython{meta}, data);
  }
  return out;
}

PyMetaGraph make_meta_graph() {
  PyMetaGraph self;
  self.meta.version = 1;
  self.meta.descriptor_core_version = 1;
  self.meta.graphs.emplace_back().id = "main";
  self.meta.owner = self.storage;
  return self;
}

void add_node(PyMetaGraph& self, std::string id, std::string operation,
              const std::vector<std::string>& inputs, const py::dict& fields) {
  uff::Node node;
  node.id = self.keep(std::move(id));
  node.operation = self.keep(std::move(operation));
  for (const auto& input : inputs) node.inputs.push_back(self.keep(input));
  node.fields = to_fields(self, fields);
  self.graph().nodes.push_back(std::move(node));
}

py::bytes encode(const PyMetaGraph& self) {
  const std::size_t size = uff::encoded_size(self.meta);
  auto out = py::reinterpret_steal<py::bytes>(
      PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size)));
  if (!out) throw py::error_already_set();
  char* position = PyBytes_AS_STRING(out.ptr());
  uff::write(self.meta, [&](ByteView bytes) {
    position = std::copy_n(bytes.text().data(), bytes.size, position);
  });
  return out;
}

PyMetaGraph wrap(uff::MetaGraph meta) {
  PyMetaGraph self{std::move(meta)};
  self.storage->file = std::exchange(self.meta.owner, self.storage);
  return self;
}

PyMetaGraph read_bytes(const py::bytes& data, const std::string& name) {
  auto text = std::make_shared<const std::string>(data);
  const ByteView bytes{std::string_view(*text)};
  return wrap(uff::read(bytes, std::move(text), name));
}

std::vector<PyNode> nodes(const PyMetaGraph& self) {
  std::vector<PyNode> out;
  for (const uff::Node& node : self.meta.graphs.front().nodes) {
    out.push_back({std::string(node.id),
                   std::string(node.operation),
                   {node.inputs.begin(), node.inputs.end()},
                   to_dict(self.meta, node.fields)});
  }
  return out;
}

void register_values(py::module_& module) {
  py::class_<PyReference>(module, "Reference", "The name of an entry of referenced_data.")
      .def(py::init<std::string>(), py::arg("key"))
      .def_readonly("key", &PyReference::key)
      .def("__eq__", [](const PyReference& a, const PyReference& b) { return a.key == b.key; })
      .def("__hash__", [](const PyReference& self) { return py::hash(py::str(self.key)); })
      .def("__repr__", [](const PyReference& self) { return "Reference('" + self.key + "')"; });
  py::class_<PyDataType>(module, "DataType", "An element type by its number in the UFF schema.")
      .def(py::init<std::int64_t>(), py::arg("value"))
      .def_readonly("value", &PyDataType::value)
      .def("__eq__", [](const PyDataType& a, const PyDataType& b) { return a.value == b.value; })
      .def("__hash__", [](const PyDataType& self) { return self.value; })
      .def("__repr__",
           [](const PyDataType& self) { return "DataType(" + std::to_string(self.value) + ")"; });
  py::class_<PyOrders>(module, "DimensionOrders", "Axis lists by key; -1 is the key in use.")
      .def(py::init([](const std::map<std::int64_t, std::vector<std::int64_t>>& orders) {
             return PyOrders{{orders.begin(), orders.end()}};
           }),
           py::arg("orders"))
      .def_property_readonly("orders",
                             [](const PyOrders& self) {
                               return std::map<std::int64_t, std::vector<std::int64_t>>(
                                   self.orders.begin(), self.orders.end());
                             })
      .def("__eq__", [](const PyOrders& a, const PyOrders& b) { return a.orders == b.orders; })
      .def("__repr__", [](const py::object& self) {
        return "DimensionOrders(" + py::cast<std::string>(py::repr(self.attr("orders"))) + ")";
      });
  py::class_<PyBlob>(
      module, "Blob", py::buffer_protocol(),
      "Read-only bytes inside a file: memoryview(blob), numpy.frombuffer(blob, ...).")
      .def_buffer([](const PyBlob& self) {
        return py::buffer_info(const_cast<std::byte*>(self.bytes.data), 1, "B", 1,
                               {static_cast<py::ssize_t>(self.bytes.size)}, {1}, /*readonly=*/true);
      })
      .def("__len__", [](const PyBlob& self) { return self.bytes.size; });
}

void register_meta_graph(py::module_& module) {
  py::class_<PyDescriptor>(module, "Descriptor")
      .def_readonly("id", &PyDescriptor::id)
      .def_readonly("version", &PyDescriptor::version)
      .def_readonly("optional", &PyDescriptor::optional);
  py::class_<PyMetaGraph> meta(module, "MetaGraph",
                               "A UFF file in memory: one graph 'main' and its referenced data.");
  py::class_<PyNode>(module, "Node", "A copy of one node; blobs stay views.")
      .def_readonly("id", &PyNode::id)
      .def_readonly("operation", &PyNode::operation)
      .def_readonly("inputs", &PyNode::inputs)
      .def_readonly("fields", &PyNode::fields);
  meta.def(py::init(&make_meta_graph))
      .def(
          "add_descriptor",
          [](PyMetaGraph& self, std::string id, std::int64_t version, bool optional) {
            self.meta.descriptors.push_back({self.keep(std::move(id)), version, optional});
          },
          py::arg("id"), py::arg("version") = 1, py::arg("optional") = false)
      .def("add_node", &add_node, py::arg("id"), py::arg("operation"), py::arg("inputs"),
           py::arg("fields"))
      .def(
          "add_data",
          [](PyMetaGraph& self, std::string key, const py::object& value) {
            Data data = to_data(self, value);
            self.meta.referenced_data.emplace_back(self.keep(std::move(key)), std::move(data));
          },
          py::arg("key"), py::arg("value"))
      .def(
          "add_extra_field",
          [](PyMetaGraph& self, std::string key, const py::object& value) {
            Data data = to_data(self, value);
            self.meta.extra_fields.emplace_back(self.keep(std::move(key)), std::move(data));
          },
          py::arg("key"), py::arg("value"), "Of the whole file; an older parser skips it.")
      .def_property_readonly("version", [](const PyMetaGraph& self) { return self.meta.version; })
      .def_property_readonly("descriptors",
                             [](const PyMetaGraph& self) {
                               std::vector<PyDescriptor> out;
                               for (const auto& d : self.meta.descriptors) {
                                 out.push_back({std::string(d.id), d.version, d.optional});
                               }
                               return out;
                             })
      .def_property_readonly("nodes", &nodes)
      .def_property_readonly(
          "referenced_data",
          [](const PyMetaGraph& self) { return to_dict(self.meta, self.meta.referenced_data); })
      .def_property_readonly("extra_fields", [](const PyMetaGraph& self) {
        return to_dict(self.meta, self.meta.extra_fields);
      });
}

}  // namespace

void register_uff(py::module_& module) {
  auto uff_module = module.def_submodule("uff", "The UFF wire format.");
  register_values(uff_module);
  register_meta_graph(uff_module);
  uff_module.def(
      "read_file", [](const std::string& path) { return wrap(uff::read_file(path)); },
      py::arg("path"),
      "Maps and parses a file. Raises InputError when it is not a sound UFF file.");
  uff_module.def("read_bytes", &read_bytes, py::arg("data"), py::arg("name") = "<bytes>");
  uff_module.def("encode", &encode, py::arg("meta"), "The bytes of the file.");
  uff_module.def(
      "write_file",
      [](const PyMetaGraph& self, const std::string& path) {
        const py::gil_scoped_release unlocked;
        uff::write_file(self.meta, path);
      },
      py::arg("meta"), py::arg("path"), "Writes the file atomically.");
  uff_module.def(
      "to_text", [](const PyMetaGraph& self) { return uff::to_text(self.meta); }, py::arg("meta"),
      "The text form; blobs of more than 32 bytes are left out.");
}

}  // namespace chexnet_trt
