#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "common/error.hpp"
#include "engine/engine_config.hpp"
#include "graph/text.hpp"
#include "plan/plan_reader.hpp"

namespace {

using chexnet_trt::ByteView;
using chexnet_trt::InputError;

/// Runs `parse`; anything but success and InputError is a finding.
template <typename Parse>
void attempt(Parse parse) {
  try {
    parse();
  } catch (const InputError&) {
  }
}

void parse_graph(ByteView text, ByteView weights) {
  attempt([&] {
    const chexnet_trt::Graph graph = chexnet_trt::graph_from_text(text.text(), weights);
    if (chexnet_trt::to_text(graph).empty()) std::abort();
  });
}

ByteView find(ByteView file, const std::vector<chexnet_trt::PlanEntry>& entries, const char* name) {
  for (const auto& entry : entries) {
    if (entry.name == name) return file.subview(entry.offset, entry.size);
  }
  return {};
}

}  // namespace

/// The whole reader, which checksums guard; then the same bytes past the checksums: as a section
/// table with its graph and config, as graph text and as config.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView file(data, size);
  attempt([&] { chexnet_trt::PlanReader(file, "fuzz", nullptr); });
  attempt([&] {
    const auto entries = chexnet_trt::parse_section_table(file, "fuzz");
    parse_graph(find(file, entries, "graph"), find(file, entries, "weights"));
    const ByteView config = find(file, entries, "config");
    attempt([&] { chexnet_trt::config_from_text(config.text()); });
  });
  parse_graph(file, file);
  attempt([&] { chexnet_trt::config_from_text(file.text()); });
  return 0;
}
