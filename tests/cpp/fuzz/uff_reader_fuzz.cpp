#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/error.hpp"
#include "graph/text.hpp"
#include "uff/importer.hpp"
#include "uff/reader.hpp"
#include "uff/text_format.hpp"
#include "uff/writer.hpp"

namespace {

using chexnet_trt::ByteView;
namespace uff = chexnet_trt::uff;

std::string encode(const uff::MetaGraph& meta) {
  std::string bytes;
  uff::write(meta, [&](ByteView piece) { bytes.append(piece.text()); });
  if (bytes.size() != uff::encoded_size(meta)) std::abort();
  return bytes;
}

/// Networks that cannot be imported are refused; what is imported has a text.
void import(const uff::MetaGraph& meta) {
  try {
    if (chexnet_trt::to_text(uff::UffParser().parse(meta)).empty()) std::abort();
  } catch (const chexnet_trt::InputError&) {
  }
}

}  // namespace

/// Bytes either raise InputError or make a network that survives text and a round trip; the
/// importer then takes it or raises InputError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  uff::MetaGraph meta;
  try {
    meta = uff::read({data, size}, nullptr, "fuzz");
  } catch (const chexnet_trt::InputError&) {
    return 0;
  }
  const std::string text = uff::to_text(meta);
  const std::string bytes = encode(meta);
  const uff::MetaGraph again = uff::read(ByteView(std::string_view(bytes)), nullptr, "again");
  if (uff::to_text(again) != text || encode(again) != bytes) std::abort();
  import(meta);
  return 0;
}
