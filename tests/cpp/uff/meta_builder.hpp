#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uff/model.hpp"

namespace chexnet_trt::uff {

/// Makes MetaGraphs in memory; texts and blobs live as long as the builder or the last MetaGraph.
class MetaBuilder {
 public:
  using NodeFields = std::vector<std::pair<std::string, Data>>;

  MetaBuilder() {
    meta_.version = 1;
    meta_.descriptor_core_version = 1;
    meta_.graphs.push_back({"main", {}, {}});
    meta_.owner = store_;
  }

  MetaBuilder& node(const std::string& operation, const std::string& id,
                    const std::vector<std::string>& inputs = {}, const NodeFields& fields = {}) {
    Node node;
    node.id = keep(id);
    node.operation = keep(operation);
    for (const std::string& input : inputs) node.inputs.push_back(keep(input));
    for (const auto& [name, data] : fields) node.fields.emplace_back(keep(name), data);
    meta_.graphs[0].nodes.push_back(node);
    return *this;
  }

  MetaBuilder& input(const std::string& id, const std::vector<std::int64_t>& shape,
                     DataType type = DataType::kFloat32) {
    return node("Input", id, {}, {{"shape", shape}, {"dtype", type}});
  }

  template <typename Value>
  MetaBuilder& constant(const std::string& id, const std::vector<std::int64_t>& shape,
                        const std::vector<Value>& values, DataType type) {
    const std::string bytes(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(Value));
    const std::string_view key = keep("weights_" + id);
    meta_.referenced_data.emplace_back(key, Blob{ByteView(keep(bytes))});
    return node("Const", id, {}, {{"values", Reference{key}}, {"dtype", type}, {"shape", shape}});
  }
  MetaBuilder& floats(const std::string& id, const std::vector<std::int64_t>& shape,
                      const std::vector<float>& values) {
    return constant(id, shape, values, DataType::kFloat32);
  }
  MetaBuilder& ints(const std::string& id, const std::vector<std::int64_t>& shape,
                    const std::vector<std::int32_t>& values) {
    return constant(id, shape, values, DataType::kInt32);
  }

  /// A reference to the orders of the operands, stored once: orders({"N+C", "+CK"}).
  Data orders(const std::vector<std::string>& layouts) {
    std::string key = "orders";
    std::vector<DimensionOrders> list;
    for (const std::string& layout : layouts) {
      key += "_" + layout;
      list.push_back({{kOrderSpecial, encoded(layout)}});
    }
    const std::string_view kept = keep(key);
    if (find(meta_.referenced_data, kept) == nullptr)
      meta_.referenced_data.emplace_back(kept, list);
    return Reference{kept};
  }

  Data text(const std::string& value) { return keep(value); }

  MetaBuilder& output(const std::string& node_id) {
    return node("MarkOutput", "MarkOutput_" + std::to_string(outputs_++), {node_id});
  }

  MetaGraph& meta() { return meta_; }

 private:
  static std::vector<std::int64_t> encoded(const std::string& layout) {
    std::vector<std::int64_t> axes;
    for (const char letter : layout) {
      if (letter == 'N' || letter == 'K') axes.push_back(0);
      if (letter == 'C') axes.push_back(1);
      if (letter == '+') axes.insert(axes.end(), {2, kOrderIncrement});
    }
    return axes;
  }
  std::string_view keep(const std::string& text) { return store_->emplace_back(text); }

  std::shared_ptr<std::deque<std::string>> store_ = std::make_shared<std::deque<std::string>>();
  MetaGraph meta_;
  int outputs_ = 0;
};

}  // namespace chexnet_trt::uff
