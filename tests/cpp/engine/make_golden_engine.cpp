// Writes tests/data/golden_vN.engine: make_golden_engine FILE

#include <iostream>

#include "engine/context_helpers.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_golden_engine FILE\n";
    return 2;
  }
  chexnet_trt::FakeBackend backend;
  backend.behaviour.name = "openvino";
  backend.behaviour.fingerprint = "golden";
  const auto engine = chexnet_trt::build_tiny(backend);
  engine->set_manifest("{\"golden\": 1}");
  engine->save(argv[1]);
  return 0;
}
