#include "uff/writer.hpp"

#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

#include "common/atomic_file.hpp"
#include "uff/wire.hpp"

namespace chexnet_trt::uff {
namespace {

/// The bytes of a message, blobs left where they are: `blobs_` holds views and their positions in
/// `text_`.
class Encoded {
 public:
  void varint(std::uint32_t field, std::uint64_t value) {
    tag(field, WireType::kVarint);
    raw_varint(value);
  }
  void fixed64(std::uint32_t field, double value) {
    tag(field, WireType::kFixed64);
    raw_fixed64(value);
  }
  void text(std::uint32_t field, std::string_view value) {
    tag(field, WireType::kLength);
    raw_varint(value.size());
    text_.append(value);
  }
  void blob(std::uint32_t field, ByteView bytes) {
    tag(field, WireType::kLength);
    raw_varint(bytes.size);
    blobs_.emplace_back(text_.size(), bytes);
    blob_size_ += bytes.size;
  }
  void message(std::uint32_t field, const Encoded& child) {
    tag(field, WireType::kLength);
    raw_varint(child.size());
    for (const auto& [position, bytes] : child.blobs_) {
      blobs_.emplace_back(text_.size() + position, bytes);
    }
    text_.append(child.text_);
    blob_size_ += child.blob_size_;
  }
  void raw_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) text_.push_back(static_cast<char>((value & 0x7FU) | 0x80U));
    text_.push_back(static_cast<char>(value));
  }
  void raw_fixed64(double value) {
    std::array<char, sizeof value> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    text_.append(bytes.data(), bytes.size());
  }

  std::size_t size() const { return text_.size() + blob_size_; }

  void feed(const std::function<void(ByteView)>& sink) const {
    std::size_t begin = 0;
    const ByteView all{std::string_view(text_)};
    for (const auto& [position, bytes] : blobs_) {
      if (position != begin) sink(all.subview(begin, position - begin));
      if (bytes.size != 0) sink(bytes);
      begin = position;
    }
    if (begin != all.size) sink(all.subview(begin, all.size - begin));
  }

 private:
  void tag(std::uint32_t field, WireType type) {
    raw_varint(std::uint64_t{field} << 3U | static_cast<std::uint64_t>(type));
  }

  std::string text_;
  std::vector<std::pair<std::size_t, ByteView>> blobs_;
  std::size_t blob_size_ = 0;
};

template <class T>
Encoded encode_numbers(const std::vector<T>& values) {
  Encoded packed;
  for (const T value : values) {
    if constexpr (std::is_same_v<T, double>) {
      packed.raw_fixed64(value);
    } else {
      packed.raw_varint(static_cast<std::uint64_t>(value));
    }
  }
  Encoded list;
  if (!values.empty()) list.message(1, packed);
  return list;
}

Encoded encode_orders(const DimensionOrders& orders) {
  Encoded message;
  for (const auto& [key, axes] : orders) {
    Encoded entry;
    entry.varint(1, static_cast<std::uint64_t>(key));
    entry.message(2, encode_numbers(axes));
    message.message(1, entry);
  }
  return message;
}

/// Writes the member that is set, zero values too: members of a oneof have presence.
struct DataEncoder {
  Encoded& out;

  void operator()(std::monostate /*nothing*/) const {}
  void operator()(std::string_view value) const { out.text(1, value); }
  void operator()(const std::vector<std::string_view>& values) const {
    Encoded list;
    for (const auto value : values) list.text(1, value);
    out.message(2, list);
  }
  void operator()(double value) const { out.fixed64(3, value); }
  void operator()(const std::vector<double>& values) const {
    out.message(4, encode_numbers(values));
  }
  void operator()(bool value) const { out.varint(5, value ? 1 : 0); }
  void operator()(const std::vector<bool>& values) const { out.message(6, encode_numbers(values)); }
  void operator()(std::int64_t value) const { out.varint(7, static_cast<std::uint64_t>(value)); }
  void operator()(const std::vector<std::int64_t>& values) const {
    out.message(8, encode_numbers(values));
  }
  void operator()(const Blob& value) const { out.blob(9, value.bytes); }
  void operator()(const Reference& value) const { out.text(100, value.key); }
  void operator()(DataType value) const { out.varint(101, static_cast<std::uint64_t>(value)); }
  void operator()(const std::vector<DataType>& values) const {
    out.message(102, encode_numbers(values));
  }
  void operator()(const DimensionOrders& value) const { out.message(103, encode_orders(value)); }
  void operator()(const std::vector<DimensionOrders>& values) const {
    Encoded list;
    for (const auto& value : values) list.message(1, encode_orders(value));
    out.message(104, list);
  }
};

void encode_fields(Encoded& out, std::uint32_t field, const Fields& fields) {
  for (const auto& [key, data] : fields) {
    Encoded value;
    std::visit(DataEncoder{value}, data);
    Encoded entry;
    entry.text(1, key);
    entry.message(2, value);
    out.message(field, entry);
  }
}

// A proto3 field outside a oneof is left out when it is zero.
void encode_text(Encoded& out, std::uint32_t field, std::string_view value) {
  if (!value.empty()) out.text(field, value);
}

void encode_int(Encoded& out, std::uint32_t field, std::int64_t value) {
  if (value != 0) out.varint(field, static_cast<std::uint64_t>(value));
}

Encoded encode_node(const Node& node) {
  Encoded message;
  encode_text(message, 1, node.id);
  for (const auto input : node.inputs) message.text(2, input);
  encode_text(message, 3, node.operation);
  encode_fields(message, 4, node.fields);
  encode_fields(message, 100, node.extra_fields);
  return message;
}

Encoded encode_meta_graph(const MetaGraph& meta) {
  Encoded message;
  encode_int(message, 1, meta.version);
  encode_int(message, 2, meta.descriptor_core_version);
  for (const Descriptor& descriptor : meta.descriptors) {
    Encoded child;
    encode_text(child, 1, descriptor.id);
    encode_int(child, 2, descriptor.version);
    encode_int(child, 3, descriptor.optional ? 1 : 0);
    message.message(3, child);
  }
  for (const Graph& graph : meta.graphs) {
    Encoded child;
    encode_text(child, 1, graph.id);
    for (const Node& node : graph.nodes) child.message(2, encode_node(node));
    encode_fields(child, 100, graph.extra_fields);
    message.message(4, child);
  }
  encode_fields(message, 5, meta.referenced_data);
  encode_fields(message, 100, meta.extra_fields);
  return message;
}

}  // namespace

std::size_t encoded_size(const MetaGraph& meta) { return encode_meta_graph(meta).size(); }

void write(const MetaGraph& meta, const std::function<void(ByteView)>& sink) {
  encode_meta_graph(meta).feed(sink);
}

void write_file(const MetaGraph& meta, const std::string& path) {
  const Encoded message = encode_meta_graph(meta);
  AtomicFile file(path);
  message.feed([&](ByteView bytes) { file.write(bytes); });
  file.commit();
}

}  // namespace chexnet_trt::uff
