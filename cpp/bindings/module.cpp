#include "bindings/register.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The native core of chexnet_trt; import chexnet_trt instead.";
  chexnet_trt::register_common(module);
  chexnet_trt::register_log(module);
  chexnet_trt::register_images(module);
  chexnet_trt::register_graph(module);
  chexnet_trt::register_graph_builder(module);
  chexnet_trt::register_quantize(module);
  chexnet_trt::register_uff(module);
  chexnet_trt::register_uff_parser(module);
  chexnet_trt::register_calibration(module);
  chexnet_trt::register_backends(module);
  chexnet_trt::register_engine(module);
  chexnet_trt::register_engine_file(module);
  chexnet_trt::register_calibration_session(module);
  chexnet_trt::register_bench(module);
}
