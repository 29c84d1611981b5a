#include <pybind11/numpy.h>

#include "bindings/register.hpp"
#include "common/error.hpp"
#include "images/png_rows.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

using Pixels = py::array_t<std::uint8_t, py::array::c_style>;

std::size_t unfilter(const py::bytes& rows, Pixels& pixels, std::size_t first) {
  if (pixels.ndim() != 2) {
    throw InputError("pixels of a PNG are [height, width]");
  }
  const auto height = static_cast<std::size_t>(pixels.shape(0));
  const auto width = static_cast<std::size_t>(pixels.shape(1));
  const ByteView view{static_cast<std::string_view>(rows)};
  const std::size_t count = view.size / (width + 1);
  if (first > height || count > height - first) {
    throw InputError("the PNG has more than its " + std::to_string(height) + " rows");
  }
  std::uint8_t* begin = pixels.mutable_data() + first * width;
  const py::gil_scoped_release unlocked;
  unfilter_png_rows(view, width, first == 0 ? nullptr : begin - width, begin);
  return count;
}

}  // namespace

void register_images(py::module_& module) {
  module.def("unfilter_png_rows", &unfilter, py::arg("rows"), py::arg("pixels").noconvert(),
             py::arg("first"),
             "The whole rows at the start of `rows`, inflated from a PNG of 8-bit gray, into uint8 "
             "[height, width], from row `first` on; returns how many. Raises InputError for an "
             "unknown filter and for too many rows.");
}

}  // namespace chexnet_trt
