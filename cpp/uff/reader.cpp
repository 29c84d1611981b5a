#include "uff/reader.hpp"

#include <algorithm>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include "common/error.hpp"
#include "common/mapped_file.hpp"
#include "uff/wire.hpp"

namespace chexnet_trt::uff {
namespace {

/// One element of a list message, read from behind its tag or from a packed run.
template <class T>
T read_number(WireCursor& cursor) {
  if constexpr (std::is_same_v<T, double>) {
    return cursor.raw_fixed64();
  } else if constexpr (std::is_same_v<T, bool>) {
    return cursor.raw_varint() != 0;
  } else {
    return static_cast<T>(cursor.raw_varint());
  }
}

template <class T>
std::vector<T> read_numbers(WireCursor list) {
  constexpr WireType kUnpacked = std::is_same_v<T, double> ? WireType::kFixed64 : WireType::kVarint;
  std::vector<T> values;
  while (list.next()) {
    if (list.field() != 1) {
      list.skip();
    } else if (list.type() == kUnpacked) {
      values.push_back(read_number<T>(list));
    } else {
      WireCursor packed = list.message();
      while (!packed.at_end()) values.push_back(read_number<T>(packed));
    }
  }
  return values;
}

/// A list message whose elements are texts or messages.
template <class Read>
auto read_list(WireCursor list, Read read_element) {
  std::vector<decltype(read_element(list))> values;
  while (list.next()) {
    if (list.field() == 1) {
      values.push_back(read_element(list));
    } else {
      list.skip();
    }
  }
  return values;
}

DimensionOrders read_orders(WireCursor message) {
  DimensionOrders orders;
  while (message.next()) {
    if (message.field() != 1) {
      message.skip();
      continue;
    }
    auto& [key, axes] = orders.emplace_back();
    for (WireCursor entry = message.message(); entry.next();) {
      switch (entry.field()) {
        case 1: key = static_cast<std::int64_t>(entry.varint()); break;
        case 2: axes = read_numbers<std::int64_t>(entry.message()); break;
        default: entry.skip();
      }
    }
  }
  return orders;
}

Data read_data(WireCursor message) {
  Data data;
  while (message.next()) {
    switch (message.field()) {
      case 1: data = message.text(); break;
      case 2: data = read_list(message.message(), [](WireCursor& c) { return c.text(); }); break;
      case 3: data = message.fixed64(); break;
      case 4: data = read_numbers<double>(message.message()); break;
      case 5: data = message.varint() != 0; break;
      case 6: data = read_numbers<bool>(message.message()); break;
      case 7: data = static_cast<std::int64_t>(message.varint()); break;
      case 8: data = read_numbers<std::int64_t>(message.message()); break;
      case 9: data = Blob{message.bytes()}; break;
      case 100: data = Reference{message.text()}; break;
      case 101: data = static_cast<DataType>(message.varint()); break;
      case 102: data = read_numbers<DataType>(message.message()); break;
      case 103: data = read_orders(message.message()); break;
      case 104:
        data = read_list(message.message(), [](WireCursor& c) { return read_orders(c.message()); });
        break;
      default: message.skip();
    }
  }
  return data;
}

void read_entry(const WireCursor& map, WireCursor entry, Fields& fields,
                std::unordered_set<std::string_view>& names) {
  auto& [key, value] = fields.emplace_back();
  while (entry.next()) {
    switch (entry.field()) {
      case 1: key = entry.text(); break;
      case 2: value = read_data(entry.message()); break;
      default: entry.skip();
    }
  }
  if (!names.insert(key).second) {
    map.fail("the entry '" + std::string(key) + "' appears twice");
  }
}

Descriptor read_descriptor(WireCursor message) {
  Descriptor descriptor;
  while (message.next()) {
    switch (message.field()) {
      case 1: descriptor.id = message.text(); break;
      case 2: descriptor.version = static_cast<std::int64_t>(message.varint()); break;
      case 3: descriptor.optional = message.varint() != 0; break;
      default: message.skip();
    }
  }
  return descriptor;
}

Node read_node(WireCursor message) {
  Node node;
  std::unordered_set<std::string_view> names;
  std::unordered_set<std::string_view> extra_names;
  while (message.next()) {
    switch (message.field()) {
      case 1: node.id = message.text(); break;
      case 2: node.inputs.push_back(message.text()); break;
      case 3: node.operation = message.text(); break;
      case 4: read_entry(message, message.message(), node.fields, names); break;
      case 100: read_entry(message, message.message(), node.extra_fields, extra_names); break;
      default: message.skip();
    }
  }
  return node;
}

Graph read_graph(WireCursor message) {
  Graph graph;
  std::unordered_set<std::string_view> extra_names;
  while (message.next()) {
    switch (message.field()) {
      case 1: graph.id = message.text(); break;
      case 2: graph.nodes.push_back(read_node(message.message())); break;
      case 100: read_entry(message, message.message(), graph.extra_fields, extra_names); break;
      default: message.skip();
    }
  }
  return graph;
}

MetaGraph read_meta_graph(WireCursor message) {
  MetaGraph meta;
  std::unordered_set<std::string_view> names;
  std::unordered_set<std::string_view> extra_names;
  while (message.next()) {
    switch (message.field()) {
      case 1: meta.version = static_cast<std::int64_t>(message.varint()); break;
      case 2: meta.descriptor_core_version = static_cast<std::int64_t>(message.varint()); break;
      case 3: meta.descriptors.push_back(read_descriptor(message.message())); break;
      case 4: meta.graphs.push_back(read_graph(message.message())); break;
      case 5: read_entry(message, message.message(), meta.referenced_data, names); break;
      case 100: read_entry(message, message.message(), meta.extra_fields, extra_names); break;
      default: message.skip();
    }
  }
  return meta;
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

/// A TensorFlow GraphDef opens with a node, and the node with its name: 0a SIZE 0a.
bool looks_like_graph_def(std::string_view text) {
  if (!starts_with(text, "\x0a")) return false;
  std::size_t i = 1;
  while (i < std::min(text.size(), kMaxVarintSize) && (text[i] & 0x80) != 0) ++i;
  return i + 1 < text.size() && text[i + 1] == '\x0a';
}

void refuse_other_formats(std::string_view text, const std::string& name) {
  if (text.empty()) throw InputError("'" + name + "' is empty: it is not a UFF file");
  if (starts_with(text, "version https://git-lfs")) {
    throw InputError("'" + name +
                     "' is a git-LFS pointer, not the file itself: run `git lfs pull`");
  }
  if (starts_with(text, "version:")) {
    throw InputError("'" + name + "' is the text form of a UFF file, which has no weights: " +
                     "give the .uff file");
  }
  if (looks_like_graph_def(text)) {
    throw InputError("'" + name + "' looks like a TensorFlow frozen graph, not a UFF file: run " +
                     "`python -m chexnet_trt convert` on it first");
  }
  if (starts_with(text, std::string_view("\x08\x01\x12", 3))) {
    throw InputError("'" + name + "' looks like a TensorFlow SavedModel, not a UFF file: freeze " +
                     "and convert it first");
  }
}

/// A file cut short between two entries still parses; what it lost shows here.
void check_references(const MetaGraph& meta, const std::string& name) {
  std::unordered_set<std::string_view> keys;
  for (const auto& [key, data] : meta.referenced_data) keys.insert(key);
  for (const Node& node : meta.graphs.front().nodes) {
    for (const auto& [field, data] : node.fields) {
      const auto* reference = std::get_if<Reference>(&data);
      if (reference == nullptr || keys.count(reference->key) != 0) continue;
      throw InputError("'" + name + "' is cut short or damaged: node '" + std::string(node.id) +
                       "' refers to '" + std::string(reference->key) + "', which is not in it");
    }
  }
}

}  // namespace

MetaGraph read(ByteView bytes, std::shared_ptr<const void> owner, const std::string& name) {
  refuse_other_formats(bytes.text(), name);
  const WireSource source{name, bytes.begin()};
  MetaGraph meta = read_meta_graph(WireCursor(bytes, source));
  if (meta.graphs.size() != 1) {
    throw InputError("'" + name + "' holds " + std::to_string(meta.graphs.size()) +
                     " graphs; a UFF file has exactly one");
  }
  check_references(meta, name);
  meta.owner = std::move(owner);
  return meta;
}

MetaGraph read_file(const std::string& path) {
  auto file = MappedFile::open(path);
  const ByteView bytes = file->bytes();
  return read(bytes, std::move(file), path);
}

}  // namespace chexnet_trt::uff
