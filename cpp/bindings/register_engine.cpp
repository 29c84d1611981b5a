#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bindings/register.hpp"
#include "common/error.hpp"
#include "engine/builder.hpp"
#include "engine/execution_context.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

const auto kWithoutGil = py::call_guard<py::gil_scoped_release>();

/// An array as a binding sees it.
struct Memory {
  Binding binding;
  std::size_t bytes = 0;
  bool dense = false;
  bool writeable = false;
};

/// Of an object with `__cuda_array_interface__` (version 2 or 3): of PyTorch, CuPy, Numba.
Memory device_memory_of(const py::dict& interface) {
  const auto data = interface["data"].cast<std::pair<std::uintptr_t, bool>>();
  Memory memory;
  memory.binding = {reinterpret_cast<void*>(data.first), MemoryKind::kDevice};
  memory.bytes =
      static_cast<std::size_t>(py::dtype(interface["typestr"].cast<std::string>()).itemsize());
  for (const py::handle extent : interface["shape"]) memory.bytes *= extent.cast<std::size_t>();
  memory.dense = !interface.contains("strides") || interface["strides"].is_none();
  memory.writeable = !data.second;
  return memory;
}

/// Raises TypeError for what is neither a NumPy array nor one on a GPU.
Memory memory_of(const py::object& object) {
  constexpr const char* kOnDevice = "__cuda_array_interface__";
  if (py::hasattr(object, kOnDevice)) return device_memory_of(object.attr(kOnDevice));
  if (!py::isinstance<py::array>(object)) {
    throw py::type_error("expected an array of NumPy, or one with __cuda_array_interface__");
  }
  const auto array = py::reinterpret_borrow<py::array>(object);
  Memory memory;
  memory.binding = {const_cast<void*>(array.data())};
  memory.bytes = static_cast<std::size_t>(array.nbytes());
  memory.dense = (array.flags() & py::array::c_style) != 0;
  memory.writeable = array.writeable();
  return memory;
}

/// A context and the arrays that its inference in flight uses.
class PythonContext {
 public:
  explicit PythonContext(const std::shared_ptr<Engine>& engine)
      : context_(std::make_unique<ExecutionContext>(engine)) {}
  ~PythonContext() {
    const py::gil_scoped_release release;
    context_.reset();
  }
  PythonContext(const PythonContext&) = delete;
  PythonContext& operator=(const PythonContext&) = delete;

  void enqueue(std::int64_t batch, const std::vector<py::object>& arrays) {
    const std::vector<Binding> bindings = bind(batch, arrays);
    {
      const py::gil_scoped_release release;
      context_->enqueue(batch, bindings);
    }
    arrays_ = arrays;
  }
  void wait() { context_->wait(); }
  bool ready() { return context_->ready(); }
  std::optional<DeviceTimes> device_times() { return context_->device_times(); }
  std::vector<LayerTime> layer_times() { return context_->layer_times(); }

 private:
  std::vector<Binding> bind(std::int64_t batch, const std::vector<py::object>& arrays) const {
    const std::vector<TensorInfo>& inputs = context_->engine().inputs();
    std::vector<TensorInfo> infos = inputs;
    const std::vector<TensorInfo>& outputs = context_->engine().outputs();
    infos.insert(infos.end(), outputs.begin(), outputs.end());
    if (arrays.size() != infos.size()) {
      throw InputError("expected " + std::to_string(infos.size()) + " arrays, got " +
                       std::to_string(arrays.size()));
    }
    std::vector<Binding> bindings;
    for (std::size_t index = 0; index < arrays.size(); ++index) {
      const Memory memory = memory_of(arrays[index]);
      const bool usable = index < inputs.size() || memory.writeable;
      if (!memory.dense || !usable || memory.bytes != byte_count(infos[index], batch)) {
        throw InputError("the array for '" + infos[index].name +
                         "' must be C-contiguous, of its exact size and writeable if an output");
      }
      bindings.push_back(memory.binding);
    }
    return bindings;
  }

  std::vector<py::object> arrays_;
  std::unique_ptr<ExecutionContext> context_;
};

std::vector<Precision> precisions_from(const std::vector<std::string>& names) {
  std::vector<Precision> precisions;
  for (const std::string& name : names) precisions.push_back(precision_from_name(name));
  return precisions;
}

/// Wraps a Python progress callback, and lets Ctrl-C in, which arrives as error_already_set.
BuildProgress progress_from(const py::object& callback) {
  return [&callback](const std::string& stage, int done, int total) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!callback.is_none()) callback(stage, done, total);
  };
}

py::dict candidate_dict(const Candidate& candidate) {
  using py::literals::operator""_a;
  return py::dict("precision"_a = std::string(name_of(candidate.precision)),
                  "median_ms"_a = candidate.median_ms, "rounds"_a = candidate.rounds,
                  "chosen"_a = candidate.chosen, "reason"_a = candidate.reason);
}

py::dict report_dict(const BuildReport& report) {
  using py::literals::operator""_a;
  py::list passes;
  for (const PassCount& count : report.passes) {
    passes.append(py::dict("pass"_a = count.pass, "rewrites"_a = count.rewrites));
  }
  py::list candidates;
  for (const Candidate& candidate : report.candidates) candidates.append(candidate_dict(candidate));
  py::list slices;
  for (const SliceCandidate& slice : report.slices) {
    slices.append(py::dict("slice"_a = slice.slice, "at_once"_a = slice.at_once,
                           "median_ms"_a = slice.median_ms, "chosen"_a = slice.chosen));
  }
  const bool timed = report.untimed.empty();
  return py::dict("passes"_a = passes, "candidates"_a = candidates, "slices"_a = slices,
                  "timing_batch"_a = report.timing_batch,
                  "timing_input"_a = timed ? py::object(py::str("random")) : py::none(),
                  "seconds"_a = report.seconds);
}

/// Ranges by value name and layers by name, or no int8.
std::optional<Int8Options> int8_from(std::optional<DynamicRanges> ranges,
                                     std::set<std::string> high_precision, bool signed_only) {
  if (!ranges) return std::nullopt;
  const auto types = signed_only ? QuantizedTypes::kInt8 : QuantizedTypes::kInt8AndUInt8;
  return Int8Options{std::move(*ranges), std::move(high_precision), types};
}

py::tuple build_engine(const Graph& graph, const std::string& backend,
                       const std::vector<std::string>& precisions, bool obey,
                       std::optional<DynamicRanges> ranges, std::set<std::string> high_precision,
                       bool signed_only, const std::map<std::string, std::string>& ruled_out,
                       std::int64_t max_batch, std::int64_t timing_batch, std::int64_t slice,
                       int slices_at_once, int threads, int streams, bool profiling,
                       bool embed_blob, bool class_activation, double timing_budget_ms,
                       const std::string& timing_cache, const py::object& progress) {
  BuildOptions options;
  options.backend = backend;
  options.precisions = precisions_from(precisions);
  options.obey = obey;
  options.int8 = int8_from(std::move(ranges), std::move(high_precision), signed_only);
  for (const auto& [name, reason] : ruled_out) {
    options.ruled_out[precision_from_name(name)] = reason;
  }
  options.max_batch = max_batch;
  options.timing_batch = timing_batch;
  options.slice = slice;
  options.slices_at_once = slices_at_once;
  options.threads = threads;
  options.streams = streams;
  options.profiling = profiling;
  options.embed_blob = embed_blob;
  options.class_activation = class_activation;
  options.timing_budget_ms = timing_budget_ms;
  options.timing_cache = timing_cache;
  options.progress = progress_from(progress);
  BuildResult result = [&] {
    const py::gil_scoped_release release;
    return build(graph, options);
  }();
  return py::make_tuple(std::move(result.engine), report_dict(result.report));
}

/// The views of nodes share the graph, so the engine must own it through a shared pointer too.
std::shared_ptr<Graph> graph_of(const std::shared_ptr<Engine>& engine) {
  return {engine, const_cast<Graph*>(&engine->graph())};
}

/// Bytes of a backend's host memory; the array keeps them.
py::array_t<std::uint8_t> host_memory(const Engine& engine, std::size_t bytes) {
  std::shared_ptr<std::byte> memory = [&] {
    const py::gil_scoped_release release;
    return engine.allocate_host(bytes);
  }();
  auto* data = reinterpret_cast<std::uint8_t*>(memory.get());
  auto owner = std::make_unique<std::shared_ptr<std::byte>>(std::move(memory));
  const py::capsule base(owner.get(),
                         [](void* held) { delete static_cast<std::shared_ptr<std::byte>*>(held); });
  owner.release();
  return py::array_t<std::uint8_t>(static_cast<py::ssize_t>(bytes), data, base);
}

void register_records(py::module_& module) {
  py::class_<TensorInfo>(module, "TensorInfo")
      .def_readonly("name", &TensorInfo::name)
      .def_property_readonly("element",
                             [](const TensorInfo& info) { return name_of(info.element); })
      .def_readonly("shape", &TensorInfo::shape, "-1 where the batch goes.")
      .def_property_readonly("layout", [](const TensorInfo& info) { return name_of(info.layout); });
  py::class_<LayerInfo>(module, "LayerInfo")
      .def_readonly("name", &LayerInfo::name)
      .def_readonly("type", &LayerInfo::type)
      .def_readonly("precision", &LayerInfo::precision)
      .def_readonly("kernel", &LayerInfo::kernel)
      .def_readonly("nodes", &LayerInfo::nodes, "Names of the graph's nodes that it computes.");
  py::class_<DeviceTimes>(module, "DeviceTimes", "Of an inference, by the device, milliseconds.")
      .def_readonly("h2d", &DeviceTimes::h2d, "Copying its inputs.")
      .def_readonly("compute", &DeviceTimes::compute, "From the first kernel to the last.")
      .def_readonly("d2h", &DeviceTimes::d2h, "Copying its outputs.");
  py::class_<LayerTime>(module, "LayerTime")
      .def_readonly("name", &LayerTime::name)
      .def_readonly("milliseconds", &LayerTime::milliseconds);
}

}  // namespace

void register_engine(py::module_& module) {
  register_records(module);
  py::class_<Engine, std::shared_ptr<Engine>>(module, "Engine")
      .def_property_readonly("inputs", &Engine::inputs)
      .def_property_readonly("outputs", &Engine::outputs)
      .def_property_readonly("max_batch", &Engine::max_batch)
      .def_property_readonly("precision",
                             [](const Engine& engine) { return name_of(engine.precision()); })
      .def_property_readonly("backend",
                             [](const Engine& engine) { return engine.config().backend; })
      .def_property_readonly("device", [](const Engine& engine) { return engine.config().device; })
      .def_property_readonly("threads",
                             [](const Engine& engine) { return engine.config().threads; })
      .def_property_readonly("streams",
                             [](const Engine& engine) { return engine.config().streams; })
      .def_property_readonly(
          "slice", [](const Engine& engine) { return engine.config().slice; },
          "Larger batches run in pieces of at most this size; 0: every batch whole.")
      .def_property_readonly(
          "slices_at_once", [](const Engine& engine) { return engine.config().slices_at_once; },
          "How many of them run side by side, each on its share of the threads.")
      .def_property_readonly("profiling",
                             [](const Engine& engine) { return engine.config().profiling; })
      .def_property_readonly("graph", &graph_of)
      .def_property("manifest", &Engine::manifest, &Engine::set_manifest)
      .def_property("max_cached_batches", &Engine::max_cached_batches,
                    py::cpp_function(&Engine::set_max_cached_batches, kWithoutGil),
                    "Compiled batch sizes that are kept, least recently used first out; 0: all.")
      .def(
          "compile", [](Engine& engine, std::int64_t batch) { engine.executable(batch); },
          py::arg("batch"), kWithoutGil, "Compiles a batch size now instead of on first use.")
      .def("layers", &Engine::layers, py::arg("batch"), kWithoutGil)
      .def("host_memory", &host_memory, py::arg("bytes"),
           "Zeroed, at a multiple of 64, and such that the device reads and writes it without the "
           "CPU where there is a choice.")
      .def("with_profiling", &Engine::with_profiling, kWithoutGil,
           "The same network, to be compiled so that layers are timed.")
      .def("save", &Engine::save, py::arg("path"), kWithoutGil);
  py::class_<PythonContext>(module, "ExecutionContext")
      .def(py::init<const std::shared_ptr<Engine>&>(), py::arg("engine"))
      .def("enqueue", &PythonContext::enqueue, py::arg("batch"), py::arg("arrays"),
           "`arrays`: of NumPy, or with __cuda_array_interface__, whose contents are ready.")
      .def("wait", &PythonContext::wait, kWithoutGil)
      .def("ready", &PythonContext::ready)
      .def("device_times", &PythonContext::device_times, kWithoutGil,
           "Of the last inference; None where the device has no clock.")
      .def("layer_times", &PythonContext::layer_times, kWithoutGil);
  module.def("build_engine", &build_engine, py::arg("graph"), py::kw_only(), py::arg("backend"),
             py::arg("precisions"), py::arg("obey"), py::arg("ranges"), py::arg("high_precision"),
             py::arg("signed_only"), py::arg("ruled_out"), py::arg("max_batch"),
             py::arg("timing_batch"), py::arg("slice"), py::arg("slices_at_once"),
             py::arg("threads"), py::arg("streams"), py::arg("profiling"), py::arg("embed_blob"),
             py::arg("class_activation"), py::arg("timing_budget_ms"), py::arg("timing_cache"),
             py::arg("progress"), "(engine, report)");
  module.def("input_infos", &input_infos, py::arg("graph"), "The inputs of a network, in order.");
}

}  // namespace chexnet_trt
