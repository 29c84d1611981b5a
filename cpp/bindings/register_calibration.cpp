#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "bindings/register.hpp"
#include "calibration/calibration_cache.hpp"
#include "calibration/histogram.hpp"
#include "calibration/thresholds.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

using Float32Array = py::array_t<float, py::array::c_style>;

void add_array(Histogram& histogram, const Float32Array& values) {
  const float* data = values.data();
  const auto count = static_cast<std::size_t>(values.size());
  const py::gil_scoped_release release;
  histogram.add(data, count);
}

py::array_t<std::uint64_t> counts_array(const Histogram& histogram) {
  const std::vector<std::uint64_t> counts = histogram.counts();
  return py::array_t<std::uint64_t>(static_cast<py::ssize_t>(counts.size()), counts.data());
}

void register_histogram(py::module_& module) {
  py::class_<Histogram>(module, "Histogram",
                        "Counts of |x| in bins whose width is a power of two; depends on nothing "
                        "but the values.")
      .def(py::init<>())
      .def("add", &add_array, py::arg("values").noconvert(),
           "Counts a float32 array in C order. Raises InputError on NaN or infinity.")
      .def("merge", &Histogram::merge, py::arg("other"))
      .def_property_readonly("total", &Histogram::total, "Values counted.")
      .def_property_readonly("zeros", &Histogram::zeros, "Of them those that are 0.")
      .def_property_readonly("min", &Histogram::min)
      .def_property_readonly("max", &Histogram::max)
      .def_property_readonly("max_abs", &Histogram::max_abs)
      .def_property_readonly("bin_width", &Histogram::bin_width)
      .def_property_readonly("counts", &counts_array, "Of the bins up to that of max_abs.");
}

void register_thresholds(py::module_& module) {
  module.def("entropy_threshold", &entropy_threshold, py::arg("histogram"),
             "amax with the smallest KL divergence to 128 levels (Migacz, GTC 2017).");
  module.def("min_max_threshold", &min_max_threshold, py::arg("histogram"), "max |x|.");
  module.def("percentile_threshold", &percentile_threshold, py::arg("histogram"),
             py::arg("percentile") = kDefaultPercentile,
             "The |x| that `percentile` percent of the values do not exceed.");
}

Provenance make_provenance(std::string network_sha256, std::string images_sha256,
                           std::int64_t image_count, std::string preprocessing_sha256,
                           std::string algorithm, std::int64_t sample_limit,
                           std::int64_t calibrator_version) {
  return {std::move(network_sha256),
          std::move(images_sha256),
          image_count,
          std::move(preprocessing_sha256),
          std::move(algorithm),
          calibrator_version,
          sample_limit};
}

void register_provenance(py::module_& module) {
  py::class_<Provenance>(module, "Provenance", "What a calibration table was made from.")
      .def(py::init(&make_provenance), py::kw_only(), py::arg("network_sha256"),
           py::arg("images_sha256"), py::arg("image_count"), py::arg("preprocessing_sha256"),
           py::arg("algorithm"), py::arg("sample_limit"),
           py::arg("calibrator_version") = kCalibratorVersion)
      .def_readonly("network_sha256", &Provenance::network_sha256)
      .def_readonly("images_sha256", &Provenance::images_sha256)
      .def_readonly("image_count", &Provenance::image_count)
      .def_readonly("preprocessing_sha256", &Provenance::preprocessing_sha256)
      .def_readonly("algorithm", &Provenance::algorithm)
      .def_readonly("calibrator_version", &Provenance::calibrator_version)
      .def_readonly("sample_limit", &Provenance::sample_limit,
                    "Numbers of a value that an image counts with; 0: all.")
      .def("mismatch", &mismatch, py::arg("found"),
           "The first field in which `found` differs, with both values; '' when none does.");
}

CalibrationTable make_table(std::string header, DynamicRanges ranges,
                            std::optional<Provenance> provenance) {
  return {std::move(header), std::move(ranges), std::move(provenance)};
}

std::string header_for(const std::string& algorithm, int tensorrt_version) {
  return table_header(calibration_algorithm_from_name(algorithm), tensorrt_version);
}

void register_table(py::module_& module) {
  py::class_<CalibrationTable>(
      module, "CalibrationTable",
      "Dynamic ranges (amax by value name) as TensorRT's calibration cache stores them.")
      .def(py::init(&make_table), py::arg("header"), py::arg("ranges"),
           py::arg("provenance") = py::none())
      .def_readonly("header", &CalibrationTable::header)
      .def_readonly("ranges", &CalibrationTable::ranges)
      .def_readonly("provenance", &CalibrationTable::provenance,
                    "None for a table that another tool wrote.")
      .def("to_text", &to_text)
      .def_static("from_text", &table_from_text, py::arg("text"))
      .def(
          "write",
          [](const CalibrationTable& table, const std::string& path) {
            write_calibration_table(path, table);
          },
          py::arg("path"), "Writes the file whole or not at all.")
      .def_static("read", &read_calibration_table, py::arg("path"))
      .def_static("header_for", &header_for, py::arg("algorithm"),
                  py::arg("tensorrt_version") = kTensorRtVersion,
                  "The first line of a table made by entropy, minmax or percentile.");
  module.def("storable_amax", &storable_amax, py::arg("amax"),
             "The nearest amax that a calibration table holds exactly.");
}

}  // namespace

void register_calibration(py::module_& module) {
  register_histogram(module);
  register_thresholds(module);
  register_provenance(module);
  register_table(module);
}

}  // namespace chexnet_trt
