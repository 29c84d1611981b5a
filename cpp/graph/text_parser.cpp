#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include "common/error.hpp"
#include "graph/op_table.hpp"
#include "graph/text.hpp"

namespace chexnet_trt {
namespace {

/// Reads tokens off one line.
class Scanner {
 public:
  explicit Scanner(std::string_view line) : rest_(line) {}

  bool at_end() {
    skip_spaces();
    return rest_.empty();
  }
  bool accept(char c) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) throw InputError(std::string("expected '") + c + "'");
  }
  std::string quoted() {
    expect('"');
    std::string text;
    while (!rest_.empty() && rest_.front() != '"') {
      const bool escaped = rest_.front() == '\\' && rest_.size() > 1;
      const char c = rest_[escaped ? 1 : 0];
      text += escaped && c == 'n' ? '\n' : c;
      rest_.remove_prefix(escaped ? 2 : 1);
    }
    expect('"');
    return text;
  }
  /// Letters, digits, '_', '.', '-' and '+'.
  std::string_view word() {
    skip_spaces();
    std::size_t size = 0;
    while (size < rest_.size() && is_word(rest_[size])) ++size;
    if (size == 0) throw InputError("expected a word");
    const std::string_view found = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return found;
  }
  template <typename Integer>
  Integer integer() {
    skip_spaces();
    Integer value = 0;
    const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (code != std::errc()) throw InputError("expected an integer");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  /// `[1,?,3]`, "?" being kBatch.
  Axes list() {
    Axes values;
    expect('[');
    while (!accept(']')) {
      if (!values.empty()) expect(',');
      values.push_back(accept('?') ? kBatch : integer<std::int64_t>());
    }
    return values;
  }

 private:
  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '+';
  }
  void skip_spaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

double parse_double(std::string_view word) {
  double value = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (code == std::errc::invalid_argument || end != word.data() + word.size()) {
    throw InputError("'" + std::string(word) + "' is not a number");
  }
  return value;
}

ElementType parse_element(std::string_view name) { return element_type_from_name(name); }

/// Where a constant's bytes are, before its type is known.
struct WeightsReference {
  std::size_t offset = 0;
  std::size_t size = 0;
  bool is_inline = false;
  std::vector<double> values;
};

/// Reads ` field=value` for each field of an attribute struct, in order.
class AttributeReader {
 public:
  AttributeReader(Scanner& scanner, WeightsReference& weights)
      : scanner_(scanner), weights_(weights) {}

  void operator()(const char* field, Axes& value) {
    name(field);
    value = scanner_.list();
  }
  void operator()(const char* field, Spatial& value) {
    name(field);
    const Axes values = scanner_.list();
    if (values.size() != value.size()) throw InputError(std::string(field) + " needs two entries");
    value = {values[0], values[1]};
  }
  void operator()(const char* field, std::int64_t& value) {
    name(field);
    value = scanner_.integer<std::int64_t>();
  }
  void operator()(const char* field, bool& value) {
    name(field);
    const std::string_view word = scanner_.word();
    if (word != "true" && word != "false") throw InputError(std::string(field) + " is no boolean");
    value = word == "true";
  }
  void operator()(const char* field, double& value) {
    name(field);
    value = parse_double(scanner_.word());
  }
  void operator()(const char* field, ElementType& value) {
    name(field);
    value = parse_element(scanner_.word());
  }
  void operator()(const char* field, Tensor& /*value*/) {
    name(field);
    if (scanner_.accept('{')) {
      weights_.is_inline = true;
      while (!scanner_.accept('}')) {
        if (!weights_.values.empty()) scanner_.expect(',');
        weights_.values.push_back(parse_double(scanner_.word()));
      }
      return;
    }
    scanner_.expect('@');
    weights_.offset = scanner_.integer<std::size_t>();
    scanner_.expect('+');
    weights_.size = scanner_.integer<std::size_t>();
  }
  template <typename Enum>
  void operator()(const char* field, Enum& value) {
    name(field);
    from_name(scanner_.word(), value);
  }

 private:
  void name(const char* field) {
    if (scanner_.word() != field) throw InputError(std::string("expected ") + field + "=");
    scanner_.expect('=');
  }

  Scanner& scanner_;
  WeightsReference& weights_;
};

class Parser {
 public:
  Parser(ByteView weights, std::shared_ptr<const void> owner)
      : weights_(weights), owner_(std::move(owner)) {}

  void parse_line(std::string_view line) {
    Scanner scanner(line);
    if (scanner.at_end()) return;
    if (scanner.accept('o')) {
      parse_output(scanner);
    } else {
      parse_node(scanner);
    }
    if (!scanner.at_end()) throw InputError("text after the end of the node");
  }

  Graph finish() {
    graph_.verify();
    return std::move(graph_);
  }

 private:
  void parse_output(Scanner& scanner) {
    if (scanner.word() != "utput") throw InputError("expected a node or an output");
    std::string name = scanner.quoted();
    scanner.expect('=');
    graph_.add_output(std::move(name), existing(scanner.quoted()));
  }

  void parse_node(Scanner& scanner) {
    std::string name = scanner.quoted();
    scanner.expect('=');
    const OpInfo& info = info_of(op_from_name(scanner.word()));
    std::vector<NodeId> inputs;
    scanner.expect('(');
    while (!scanner.accept(')')) {
      if (!inputs.empty()) scanner.expect(',');
      inputs.push_back(existing(scanner.quoted()));
    }
    Attributes attributes = default_attributes(info.op);
    WeightsReference reference;
    AttributeReader reader(scanner, reference);
    std::visit([&](auto& fields) { fields.visit(fields, reader); }, attributes);
    scanner.expect(':');
    const ValueType type{parse_element(scanner.word()), scanner.list()};
    if (auto* constant = std::get_if<ConstantAttributes>(&attributes)) {
      constant->value = resolve(reference, type);
    }
    const NodeId id = graph_.add(info.op, std::move(name), std::move(inputs), attributes);
    if (graph_.node(id).type != type) {
      throw InputError("the shape is " + to_string(graph_.node(id).type.shape) +
                       " by the op table, not " + to_string(type.shape));
    }
  }

  NodeId existing(const std::string& name) const {
    const NodeId id = graph_.find(name);
    if (id < 0) throw InputError("no node '" + name + "' before this line");
    return id;
  }

  Tensor resolve(const WeightsReference& reference, const ValueType& type) const {
    if (reference.is_inline) {
      return tensor_from_doubles(type.element, type.shape, reference.values);
    }
    if (reference.offset > weights_.size || reference.size > weights_.size - reference.offset) {
      throw InputError("a constant lies outside the weights");
    }
    return Tensor::view(type.element, type.shape,
                        weights_.subview(reference.offset, reference.size), owner_);
  }

  ByteView weights_;
  std::shared_ptr<const void> owner_;
  Graph graph_;
};

}  // namespace

Graph graph_from_text(std::string_view text, ByteView weights,
                      const std::shared_ptr<const void>& owner) {
  Parser parser(weights, owner);
  std::size_t number = 1;
  for (; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    try {
      parser.parse_line(text.substr(0, end));
    } catch (const InputError& error) {
      throw InputError("graph text, line " + std::to_string(number) + ": " + error.what());
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
}

}  // namespace chexnet_trt
