#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/byte_view.hpp"

/// The UFF data model (protobuf package `uff`, proto3). Texts and blobs are views: into the mapped
/// file after reading, into the caller's memory before writing.
namespace chexnet_trt::uff {

/// Raw numbers of the schema's DataType; unknown numbers are kept as they are.
enum class DataType : std::int64_t {
  kInvalid = 0,
  kInt8 = 0x10008,
  kInt16 = 0x10010,
  kInt32 = 0x10020,
  kInt64 = 0x10040,
  kFloat16 = 0x20010,
  kFloat32 = 0x20020,
};

// Keys of DimensionOrders.
constexpr std::int64_t kOrderZero = 0;
constexpr std::int64_t kOrderSpecial = -1;
constexpr std::int64_t kOrderIncrement = 0x7FFFFFFF;
constexpr std::int64_t kOrderDecrement = -0x80000000LL;

/// Layout of one operand: map from key to axis list, in file order.
using DimensionOrders = std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>>;

/// The name of an entry of `MetaGraph::referenced_data`.
struct Reference {
  std::string_view key;
};

struct Blob {
  ByteView bytes;
};

/// One member of the oneof `Data`; std::monostate: none is set.
using Data = std::variant<std::monostate, std::string_view, std::vector<std::string_view>, double,
                          std::vector<double>, bool, std::vector<bool>, std::int64_t,
                          std::vector<std::int64_t>, Blob, Reference, DataType,
                          std::vector<DataType>, DimensionOrders, std::vector<DimensionOrders>>;

/// A map<string, Data> in file order.
using Fields = std::vector<std::pair<std::string_view, Data>>;

struct Descriptor {
  std::string_view id;
  std::int64_t version = 0;
  bool optional = false;
};

struct Node {
  std::string_view id;
  std::vector<std::string_view> inputs;
  std::string_view operation;
  Fields fields;
  Fields extra_fields;
};

struct Graph {
  std::string_view id;
  std::vector<Node> nodes;
  Fields extra_fields;
};

struct MetaGraph {
  std::int64_t version = 0;
  std::int64_t descriptor_core_version = 0;
  std::vector<Descriptor> descriptors;
  std::vector<Graph> graphs;
  Fields referenced_data;
  Fields extra_fields;
  /// Keeps the bytes behind the views alive.
  std::shared_ptr<const void> owner;
};

/// The value called `name`, or nullptr. Does not follow references.
const Data* find(const Fields& fields, std::string_view name);

/// Follows references through `referenced_data`. Raises InputError on a missing key, and on a chain
/// of more than 16, which is a cycle.
const Data& resolve(const MetaGraph& meta, const Data& data);

}  // namespace chexnet_trt::uff
