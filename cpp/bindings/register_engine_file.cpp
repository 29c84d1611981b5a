#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "bindings/register.hpp"
#include "common/error.hpp"
#include "common/mapped_file.hpp"
#include "engine/external_engine.hpp"
#include "engine/tensor_info.hpp"
#include "plan/plan_reader.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

const auto kWithoutGil = py::call_guard<py::gil_scoped_release>();

using Pointer = std::shared_ptr<ExternalEngine>;

/// The bytes of a Python buffer, which the result keeps alive.
std::pair<ByteView, std::shared_ptr<const void>> bytes_of(const py::buffer& buffer) {
  auto info = std::make_unique<py::buffer_info>(buffer.request());
  if (PyBuffer_IsContiguous(info->view(), 'C') == 0) {
    throw py::value_error("a plan must be contiguous in C order");
  }
  const ByteView bytes(info->ptr, static_cast<std::size_t>(info->view()->len));
  const std::shared_ptr<const void> owner(info.release(), [](const void* pointer) {
    const py::gil_scoped_acquire gil;
    delete static_cast<const py::buffer_info*>(pointer);
  });
  return {bytes, owner};
}

Pointer make(const Graph& graph, const std::string& backend, const std::string& precision,
             std::int64_t max_batch, const std::string& fingerprint, const std::string& device,
             const py::buffer& plan) {
  auto engine = std::make_shared<ExternalEngine>();
  engine->graph = graph;
  engine->config.backend = backend;
  engine->config.precision = precision_from_name(precision);
  engine->config.max_batch = max_batch;
  engine->config.fingerprint = fingerprint;
  engine->config.device = device;
  std::tie(engine->plan, engine->owner) = bytes_of(plan);
  if (max_batch < 1) throw InputError("the maximum batch must be 1 or more");
  return engine;
}

py::buffer_info plan_buffer(const ExternalEngine& engine) {
  const auto size = static_cast<py::ssize_t>(engine.plan.size);
  return {const_cast<std::byte*>(engine.plan.data), 1, "B", 1, {size}, {1}, /*readonly=*/true};
}

/// The views of nodes share the graph, so the engine must own it through a shared pointer too.
std::shared_ptr<Graph> graph_of(const Pointer& engine) { return {engine, &engine->graph}; }

std::variant<std::shared_ptr<Engine>, std::shared_ptr<ExternalEngine>> load_engine(
    const std::string& path, int device, std::optional<int> threads, std::optional<int> streams,
    std::optional<bool> profiling, bool require_exact_device) {
  LoadOptions options;
  options.device = device;
  options.threads = threads;
  options.streams = streams;
  options.profiling = profiling;
  options.require_exact_device = require_exact_device;
  auto engine = load_engine_file(path, options);
  if (auto* native = std::get_if<std::shared_ptr<Engine>>(&engine)) return std::move(*native);
  return std::make_shared<ExternalEngine>(std::get<ExternalEngine>(std::move(engine)));
}

}  // namespace

void register_engine_file(py::module_& module) {
  py::class_<ExternalEngine, Pointer>(
      module, "ExternalEngine", py::buffer_protocol(),
      "An engine file of a runtime outside this library, as TensorRT is.")
      .def(py::init(&make), py::arg("graph"), py::kw_only(), py::arg("backend"),
           py::arg("precision"), py::arg("max_batch"), py::arg("fingerprint"), py::arg("device"),
           py::arg("plan"), "`plan`: a buffer, which is kept and not copied.")
      .def_property_readonly("inputs",
                             [](const ExternalEngine& engine) { return input_infos(engine.graph); })
      .def_property_readonly(
          "outputs", [](const ExternalEngine& engine) { return output_infos(engine.graph); })
      .def_property_readonly("max_batch",
                             [](const ExternalEngine& engine) { return engine.config.max_batch; })
      .def_property_readonly(
          "precision",
          [](const ExternalEngine& engine) { return name_of(engine.config.precision); })
      .def_property_readonly("backend",
                             [](const ExternalEngine& engine) { return engine.config.backend; })
      .def_property_readonly(
          "fingerprint", [](const ExternalEngine& engine) { return engine.config.fingerprint; },
          "What the plan depends on: the runtime, its version, the devices.")
      .def_property_readonly("device",
                             [](const ExternalEngine& engine) { return engine.config.device; })
      .def_property_readonly("graph", &graph_of)
      .def_buffer(&plan_buffer)
      .def_property_readonly(
          "plan", [](const py::object& engine) { return py::memoryview(engine); },
          "The runtime's own engine, read-only and without a copy.")
      .def_readwrite("manifest", &ExternalEngine::manifest)
      .def("save", &ExternalEngine::save, py::arg("path"), kWithoutGil);
  module.def("load_engine", &load_engine, py::arg("path"), py::kw_only(), py::arg("device"),
             py::arg("threads"), py::arg("streams"), py::arg("profiling"),
             py::arg("require_exact_device"), kWithoutGil,
             "An Engine, or an ExternalEngine, to which the options mean nothing.");
  module.def(
      "is_engine_file",
      [](const std::string& path) { return has_plan_magic(MappedFile::open(path)->bytes()); },
      py::arg("path"), kWithoutGil, "Whether the file begins as an engine does.");
}

}  // namespace chexnet_trt
