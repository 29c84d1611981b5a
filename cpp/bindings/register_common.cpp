#include <pybind11/stl.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bindings/register.hpp"
#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/utf8.hpp"

namespace py = pybind11;

namespace chexnet_trt {
namespace {

/// `infos` keeps the bytes alive and in place.
void write_buffers(const std::map<std::string, py::buffer>& contents) {
  std::vector<py::buffer_info> infos;
  std::vector<std::pair<std::string, ByteView>> files;
  for (const auto& [path, data] : contents) {
    const py::buffer_info& info = infos.emplace_back(data.request());
    if (info.itemsize * info.size != 0 && PyBuffer_IsContiguous(info.view(), 'C') == 0) {
      throw InputError("cannot write '" + path + "': the data is not contiguous in memory");
    }
    files.emplace_back(path,
                       ByteView(info.ptr, static_cast<std::size_t>(info.itemsize * info.size)));
  }
  const py::gil_scoped_release unlocked;
  write_files(files);
}

/// Lone surrogates, which are how Python holds bytes that were no UTF-8, are spelled out too.
std::string printable_text(const py::str& text) {
  return printable(text.attr("encode")("utf-8", "backslashreplace").cast<std::string>());
}

}  // namespace

void register_common(py::module_& module) {
  const auto error = py::register_exception<Error>(module, "Error", PyExc_RuntimeError);
  py::register_exception<InputError>(module, "InputError", error);
  py::register_exception<BackendError>(module, "BackendError", error);
  module.def(
      "write_file",
      [](const std::string& path, const py::buffer& data) { write_buffers({{path, data}}); },
      py::arg("path"), py::arg("data"),
      "Writes bytes so that `path` appears only when complete and on disk, else InputError.");
  module.def("write_files", &write_buffers, py::arg("contents"),
             "`write_file` for bytes by path: all files appear or none.");
  module.def("printable", &printable_text, py::arg("text"),
             "One line, safe to show on a terminal: control characters are spelled out.");
}

}  // namespace chexnet_trt
