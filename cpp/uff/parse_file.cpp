#include "common/error.hpp"
#include "uff/importer.hpp"
#include "uff/reader.hpp"

namespace chexnet_trt::uff {

chexnet_trt::Graph UffParser::parse_file(const std::string& path) const {
  const MetaGraph meta = read_file(path);
  try {
    return parse(meta);
  } catch (const InputError& error) {
    throw InputError(path + ": " + error.what());
  }
}

}  // namespace chexnet_trt::uff
