#include "uff/text_format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace chexnet_trt::uff {
namespace {

/// The C escapes of protobuf's text format; bytes that are not printable ASCII as octal.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '"': out += "\\\""; break;
      case '\'': out += "\\'"; break;
      case '\\': out += "\\\\"; break;
      default:
        if (byte >= 0x20 && byte < 0x7F) {
          out += c;
        } else {
          out +=
              {'\\', static_cast<char>('0' + (byte >> 6U)),
               static_cast<char>('0' + ((byte >> 3U) & 7U)), static_cast<char>('0' + (byte & 7U))};
        }
    }
  }
  return out + '"';
}

/// The shortest decimal that reads back as the same double.
std::string number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 32> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  std::string text(digits.data(), result.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string name_of(DataType type) {
  switch (type) {
    case DataType::kInvalid: return "DT_INVALID";
    case DataType::kInt8: return "DT_INT8";
    case DataType::kInt16: return "DT_INT16";
    case DataType::kInt32: return "DT_INT32";
    case DataType::kInt64: return "DT_INT64";
    case DataType::kFloat16: return "DT_FLOAT16";
    case DataType::kFloat32: return "DT_FLOAT32";
  }
  return std::to_string(static_cast<std::int64_t>(type));
}

std::string blob_text(ByteView bytes) {
  constexpr std::size_t kShown = 32;
  if (bytes.size <= kShown) return quoted(bytes.text());
  return quoted("(..." + std::to_string(bytes.size) + " bytes skipped...)");
}

class TextWriter {
 public:
  std::string take() { return std::move(text_); }

  void line(std::string_view name, std::string_view value) {
    indent();
    text_.append(name).append(": ").append(value) += '\n';
  }
  template <class Body>
  void block(std::string_view name, Body body) {
    indent();
    text_.append(name) += " {\n";
    ++depth_;
    body();
    --depth_;
    indent();
    text_ += "}\n";
  }
  void id(std::string_view value) {
    if (!value.empty()) line("id", quoted(value));
  }
  void version(std::string_view name, std::int64_t value) {
    if (value != 0) line(name, std::to_string(value));
  }
  void fields(std::string_view name, const Fields& fields);
  void orders(std::string_view name, const DimensionOrders& orders);
  template <class Values, class Print>
  void list(std::string_view name, const Values& values, Print print) {
    block(name, [&] {
      for (const auto& value : values) line("val", print(value));
    });
  }

 private:
  void indent() { text_.append(2 * depth_, ' '); }

  std::string text_;
  std::size_t depth_ = 0;
};

std::string print_int(std::int64_t value) { return std::to_string(value); }
std::string print_bool(bool value) { return value ? "true" : "false"; }

struct DataPrinter {
  TextWriter& out;

  void operator()(std::monostate /*nothing*/) const {}
  void operator()(std::string_view value) const { out.line("s", quoted(value)); }
  void operator()(const std::vector<std::string_view>& values) const {
    out.list("s_list", values, quoted);
  }
  void operator()(double value) const { out.line("d", number(value)); }
  void operator()(const std::vector<double>& values) const { out.list("d_list", values, number); }
  void operator()(bool value) const { out.line("b", print_bool(value)); }
  void operator()(const std::vector<bool>& values) const { out.list("b_list", values, print_bool); }
  void operator()(std::int64_t value) const { out.line("i", print_int(value)); }
  void operator()(const std::vector<std::int64_t>& values) const {
    out.list("i_list", values, print_int);
  }
  void operator()(const Blob& value) const { out.line("blob", blob_text(value.bytes)); }
  void operator()(const Reference& value) const { out.line("ref", quoted(value.key)); }
  void operator()(DataType value) const { out.line("dtype", name_of(value)); }
  void operator()(const std::vector<DataType>& values) const {
    out.list("dtype_list", values, name_of);
  }
  void operator()(const DimensionOrders& value) const { out.orders("dim_orders", value); }
  void operator()(const std::vector<DimensionOrders>& values) const {
    out.block("dim_orders_list", [&] {
      for (const auto& value : values) out.orders("val", value);
    });
  }
};

/// Pointers to the entries of a map in the order of their keys.
template <class Map>
auto sorted(const Map& map) {
  std::vector<const typename Map::value_type*> entries;
  entries.reserve(map.size());
  for (const auto& entry : map) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto* a, const auto* b) { return a->first < b->first; });
  return entries;
}

void TextWriter::fields(std::string_view name, const Fields& fields) {
  for (const auto* entry : sorted(fields)) {
    block(name, [&] {
      line("key", quoted(entry->first));
      block("value", [&] { std::visit(DataPrinter{*this}, entry->second); });
    });
  }
}

void TextWriter::orders(std::string_view name, const DimensionOrders& orders) {
  block(name, [&] {
    for (const auto* entry : sorted(orders)) {
      block("orders", [&] {
        line("key", print_int(entry->first));
        list("value", entry->second, print_int);
      });
    }
  });
}

void print_node(TextWriter& out, const Node& node) {
  out.block("nodes", [&] {
    out.id(node.id);
    for (const auto input : node.inputs) out.line("inputs", quoted(input));
    if (!node.operation.empty()) out.line("operation", quoted(node.operation));
    out.fields("fields", node.fields);
    out.fields("extra_fields", node.extra_fields);
  });
}

}  // namespace

std::string to_text(const MetaGraph& meta) {
  TextWriter out;
  out.version("version", meta.version);
  out.version("descriptor_core_version", meta.descriptor_core_version);
  for (const Descriptor& descriptor : meta.descriptors) {
    out.block("descriptors", [&] {
      out.id(descriptor.id);
      out.version("version", descriptor.version);
      if (descriptor.optional) out.line("optional", print_bool(true));
    });
  }
  for (const Graph& graph : meta.graphs) {
    out.block("graphs", [&] {
      out.id(graph.id);
      for (const Node& node : graph.nodes) print_node(out, node);
      out.fields("extra_fields", graph.extra_fields);
    });
  }
  out.fields("referenced_data", meta.referenced_data);
  out.fields("extra_fields", meta.extra_fields);
  return out.take();
}

}  // namespace chexnet_trt::uff
