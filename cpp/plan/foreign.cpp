#include "plan/foreign.hpp"

#include <array>
#include <string_view>

namespace chexnet_trt {
namespace {

struct Signature {
  std::string_view start;
  std::string_view meaning;
};

// Networks are protobuf messages, which carry no magic number: their first fields are a guess.
constexpr std::array<Signature, 11> kSignatures{{
    {"ftrt", "it is a TensorRT plan; run it with TensorRT, or build an engine from its network"},
    {"vtrt",
     "it is a TensorRT-RTX plan; run it with TensorRT-RTX, or build an engine from its "
     "network"},
    {"version https://git-lfs",
     "it is a Git LFS pointer; fetch the file itself with 'git lfs "
     "pull'"},
    {"PK\x03\x04",
     "it is a zip archive, perhaps a Keras model; export and convert the model first"},
    {"\x89HDF", "it is an HDF5 file, perhaps Keras weights; export and convert the model first"},
    {"<?xml", "it looks like an OpenVINO network; engines are built from UFF or TensorFlow"},
    {{"\x08\x01\x10", 3}, "it looks like a UFF network; build an engine from it first"},
    {{"\x08\x01\x12", 3}, "it looks like a TensorFlow SavedModel; build an engine from it first"},
    {{"\x08", 1}, "it looks like an ONNX network; engines are built from UFF or TensorFlow"},
    {{"\x0a", 1}, "it looks like a TensorFlow graph; build an engine from it first"},
    {{"{", 1}, "it looks like JSON; name the engine file instead"},
}};

}  // namespace

std::string describe_foreign(ByteView bytes) {
  for (const Signature& signature : kSignatures) {
    if (bytes.text().substr(0, signature.start.size()) == signature.start) {
      return std::string(signature.meaning);
    }
  }
  return "its first bytes are of no known kind; name a file that 'build' wrote";
}

}  // namespace chexnet_trt
