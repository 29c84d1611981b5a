// Writes tests/data/golden_vN.engine: make_golden_engine FILE
// and golden_vN_int8.engine:          make_golden_engine FILE int8

#include <iostream>
#include <memory>
#include <string_view>

#include "engine/context_helpers.hpp"
#include "engine/conv_graph.hpp"

namespace {

std::shared_ptr<chexnet_trt::Engine> build_int8(chexnet_trt::FakeBackend& backend) {
  backend.behaviour.precisions = {chexnet_trt::Precision::kInt8};
  chexnet_trt::BuildOptions options;
  options.precisions = {chexnet_trt::Precision::kInt8};
  options.obey = true;
  options.int8 = chexnet_trt::Int8Options{{{"x", 1.0}, {"relu", 2.0}}, {}};
  return chexnet_trt::build(chexnet_trt::conv_graph(), options, backend).engine;
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_int8 = argc == 3 && std::string_view(argv[2]) == "int8";
  if (argc != 2 && !is_int8) {
    std::cerr << "usage: make_golden_engine FILE [int8]\n";
    return 2;
  }
  chexnet_trt::FakeBackend backend;
  backend.behaviour.name = "openvino";
  backend.behaviour.fingerprint = "golden";
  const auto engine = is_int8 ? build_int8(backend) : chexnet_trt::build_tiny(backend);
  engine->set_manifest("{\"golden\": 1}");
  engine->save(argv[1]);
  return 0;
}
