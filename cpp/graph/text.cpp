#include "graph/text.hpp"

#include <array>
#include <charconv>

#include "graph/op_table.hpp"

namespace chexnet_trt {
namespace {

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' ? "\\n" : std::string(1, c);
  }
  return text + "\"";
}

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) {
    if (text.size() > 1) text += ',';
    text += extent == kBatch ? "?" : std::to_string(extent);
  }
  return text + "]";
}

std::size_t aligned(std::size_t offset) {
  return (offset + kWeightAlignment - 1) / kWeightAlignment * kWeightAlignment;
}

/// Appends ` field=value` for each field of an attribute struct.
class AttributeWriter {
 public:
  AttributeWriter(std::string& text, std::size_t& weights_size)
      : text_(text), weights_size_(weights_size) {}

  void operator()(const char* field, const Axes& value) {
    const bool is_shape = std::string_view(field) == "shape";
    put(field, is_shape ? shape_text(value) : list(value));
  }
  void operator()(const char* field, const Spatial& value) { put(field, list(value)); }
  void operator()(const char* field, std::int64_t value) { put(field, std::to_string(value)); }
  void operator()(const char* field, bool value) { put(field, value ? "true" : "false"); }
  void operator()(const char* field, double value) {
    std::array<char, 32> digits{};
    const auto [end, code] = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                           std::chars_format::general, 17);
    put(field, code == std::errc() ? std::string(digits.data(), end) : "0");
  }
  void operator()(const char* field, const Tensor& value) {
    const std::size_t offset = aligned(weights_size_);
    weights_size_ = offset + value.bytes().size;
    put(field, "@" + std::to_string(offset) + "+" + std::to_string(value.bytes().size));
  }
  template <typename Enum>
  void operator()(const char* field, Enum value) {
    put(field, std::string(name_of(value)));
  }

 private:
  template <typename List>
  static std::string list(const List& values) {
    std::string text = "[";
    for (const std::int64_t value : values) {
      if (text.size() > 1) text += ',';
      text += std::to_string(value);
    }
    return text + "]";
  }
  void put(const char* field, const std::string& value) {
    text_.append(" ").append(field).append("=").append(value);
  }

  std::string& text_;
  std::size_t& weights_size_;
};

}  // namespace

std::string to_text(const Graph& graph) {
  std::string text;
  std::size_t weights_size = 0;
  for (const Node& node : graph.nodes()) {
    text += quoted(node.name) + " = " + std::string(name_of(node.op)) + "(";
    for (std::size_t index = 0; index < node.inputs.size(); ++index) {
      text += (index == 0 ? "" : ",") + quoted(graph.node(node.inputs[index]).name);
    }
    text += ")";
    AttributeWriter writer(text, weights_size);
    std::visit([&](const auto& fields) { fields.visit(fields, writer); }, node.attributes);
    text += " : " + std::string(name_of(node.type.element)) + shape_text(node.type.shape) + "\n";
  }
  for (const GraphOutput& output : graph.outputs()) {
    text += "output " + quoted(output.name) + " = " + quoted(graph.node(output.value).name) + "\n";
  }
  return text;
}

void write_weights(const Graph& graph, const std::function<void(ByteView)>& sink) {
  constexpr std::array<std::byte, kWeightAlignment> kZeros{};
  std::size_t size = 0;
  for (const Node& node : graph.nodes()) {
    const auto* constant = std::get_if<ConstantAttributes>(&node.attributes);
    if (constant == nullptr) continue;
    const std::size_t offset = aligned(size);
    if (offset != size) sink({kZeros.data(), offset - size});
    sink(constant->value.bytes());
    size = offset + constant->value.bytes().size;
  }
}

}  // namespace chexnet_trt
