#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/layer_profile.hpp"
#include "bench/runner.hpp"
#include "bench/summary.hpp"
#include "bindings/register.hpp"
#include "common/error.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

/// Asks the callback, if there is one, and lets Ctrl-C in, which arrives as error_already_set.
BenchProgress progress_from(const py::object& callback) {
  return [&callback](double elapsed_ms, std::size_t queries) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    return callback.is_none() || py::cast<bool>(callback(elapsed_ms, queries));
  };
}

std::vector<ByteView> views_of(const std::vector<py::array>& arrays) {
  std::vector<ByteView> views;
  for (const py::array& array : arrays) {
    if ((array.flags() & py::array::c_style) == 0) {
      throw InputError("input arrays must be C-contiguous");
    }
    views.emplace_back(array.data(), static_cast<std::size_t>(array.nbytes()));
  }
  return views;
}

BenchResult bench(const std::shared_ptr<Engine>& engine, std::int64_t batch,
                  std::int64_t iterations, double warm_up_ms, double duration_s, int streams,
                  bool threads, double idle_ms, double sleep_ms,
                  const std::vector<py::array>& inputs, std::uint64_t seed,
                  const py::object& progress) {
  BenchOptions options;
  options.batch = batch;
  options.iterations = iterations;
  options.warm_up_ms = warm_up_ms;
  options.duration_s = duration_s;
  options.streams = streams;
  options.threads = threads;
  options.idle_ms = idle_ms;
  options.sleep_ms = sleep_ms;
  options.inputs = views_of(inputs);
  options.seed = seed;
  options.progress = progress_from(progress);
  const py::gil_scoped_release release;
  return run_bench(engine, options);
}

std::vector<py::bytes> output_bytes(const BenchResult& result) {
  std::vector<py::bytes> outputs;
  for (const auto& output : result.outputs) {
    outputs.emplace_back(reinterpret_cast<const char*>(output.data()), output.size());
  }
  return outputs;
}

BenchResult result_from(std::vector<Trace> traces, std::size_t warm_up_queries, bool random_input,
                        const std::vector<py::bytes>& outputs) {
  BenchResult result{std::move(traces), warm_up_queries, random_input, {}};
  for (const std::string_view output : outputs) {
    const auto* bytes = reinterpret_cast<const std::byte*>(output.data());
    result.outputs.emplace_back(bytes, bytes + output.size());
  }
  return result;
}

using NamedTimes = std::vector<std::pair<std::string, double>>;

std::vector<LayerProfile> profile_from(const std::vector<NamedTimes>& runs) {
  std::vector<std::vector<LayerTime>> times;
  for (const NamedTimes& run : runs) {
    auto& layers = times.emplace_back();
    for (const auto& [name, milliseconds] : run) layers.push_back({name, milliseconds});
  }
  return summarize_layers(times);
}

void register_traces(py::module_& module) {
  py::class_<Trace>(module, "Trace")
      .def(py::init<double, double, double, double, double, double>(), py::arg("start_enqueue"),
           py::arg("end_enqueue"), py::arg("start_compute"), py::arg("end_compute"),
           py::arg("h2d_ms") = 0, py::arg("d2h_ms") = 0)
      .def_readonly("start_enqueue", &Trace::start_enqueue)
      .def_readonly("end_enqueue", &Trace::end_enqueue)
      .def_readonly("start_compute", &Trace::start_compute)
      .def_readonly("end_compute", &Trace::end_compute)
      .def_readonly("h2d_ms", &Trace::h2d_ms)
      .def_readonly("d2h_ms", &Trace::d2h_ms)
      .def_property_readonly("enqueue_ms", &Trace::enqueue_ms)
      .def_property_readonly("compute_ms", &Trace::compute_ms)
      .def_property_readonly("latency_ms", &Trace::latency_ms);
  py::class_<BenchResult>(module, "BenchResult")
      .def(py::init(&result_from), py::arg("traces"), py::arg("warm_up_queries"),
           py::arg("random_input"), py::arg("outputs"))
      .def_readonly("traces", &BenchResult::traces)
      .def_readonly("warm_up_queries", &BenchResult::warm_up_queries)
      .def_readonly("random_input", &BenchResult::random_input)
      .def_property_readonly("outputs", &output_bytes, "Raw bytes, one object an output.");
}

void register_summary(py::module_& module) {
  py::class_<Statistics>(module, "Statistics")
      .def_readonly("min", &Statistics::min)
      .def_readonly("max", &Statistics::max)
      .def_readonly("mean", &Statistics::mean)
      .def_readonly("median", &Statistics::median)
      .def_readonly("percentiles", &Statistics::percentiles)
      .def_readonly("coefficient_of_variation", &Statistics::coefficient_of_variation);
  py::class_<Summary>(module, "Summary")
      .def_readonly("queries", &Summary::queries)
      .def_readonly("batch", &Summary::batch)
      .def_readonly("throughput_qps", &Summary::throughput_qps)
      .def_readonly("images_per_second", &Summary::images_per_second)
      .def_readonly("latency", &Summary::latency)
      .def_readonly("enqueue", &Summary::enqueue)
      .def_readonly("compute", &Summary::compute)
      .def_readonly("h2d", &Summary::h2d)
      .def_readonly("d2h", &Summary::d2h)
      .def_readonly("walltime_ms", &Summary::walltime_ms)
      .def_readonly("total_compute_ms", &Summary::total_compute_ms)
      .def_readonly("warnings", &Summary::warnings);
  py::class_<Average>(module, "Average")
      .def_readonly("runs", &Average::runs)
      .def_readonly("compute_ms", &Average::compute_ms)
      .def_readonly("host_ms", &Average::host_ms)
      .def_readonly("percentile_ms", &Average::percentile_ms);
  py::class_<LayerProfile>(module, "LayerProfile")
      .def_readonly("name", &LayerProfile::name)
      .def_readonly("total_ms", &LayerProfile::total_ms)
      .def_readonly("average_ms", &LayerProfile::average_ms)
      .def_readonly("median_ms", &LayerProfile::median_ms)
      .def_readonly("percentage", &LayerProfile::percentage);
}

}  // namespace

void register_bench(py::module_& module) {
  register_traces(module);
  register_summary(module);
  const BenchOptions defaults;
  module.def("run_bench", &bench, py::arg("engine"), py::kw_only(),
             py::arg("batch") = defaults.batch, py::arg("iterations") = defaults.iterations,
             py::arg("warm_up_ms") = defaults.warm_up_ms,
             py::arg("duration_s") = defaults.duration_s, py::arg("streams") = defaults.streams,
             py::arg("threads") = defaults.threads, py::arg("idle_ms") = defaults.idle_ms,
             py::arg("sleep_ms") = defaults.sleep_ms, py::arg("inputs") = std::vector<py::array>(),
             py::arg("seed") = defaults.seed, py::arg("progress") = py::none(),
             "Measures as trtexec does. `inputs`: an array an input, else random numbers. "
             "`progress(elapsed_ms, queries)` returns False to stop.");
  module.def("summarize", &summarize, py::arg("traces"), py::arg("batch"), py::arg("streams"),
             py::arg("percentiles") = std::vector<double>{90, 95, 99});
  module.def("averages", &averages, py::arg("traces"), py::arg("avg_runs"),
             py::arg("percentile") = 99.0);
  module.def("summarize_layers", &profile_from, py::arg("runs"),
             "Of (layer, milliseconds) pairs, a list a run.");
  module.def("profile_layers", &profile_layers, py::arg("engine"), py::arg("batch"),
             py::arg("iterations"), py::call_guard<py::gil_scoped_release>());
}

}  // namespace chexnet_trt
