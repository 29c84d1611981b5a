#include "uff/importer.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "common/error.hpp"
#include "common/log.hpp"
#include "uff/import_input.hpp"
#include "uff/import_network.hpp"
#include "uff/importer_ops.hpp"

namespace chexnet_trt::uff {
namespace {

/// A name for the caller and the node that computes it.
struct NamedOutput {
  std::string name;
  std::size_t index;
};

std::string joined(const std::vector<std::string>& items, const char* separator = ", ") {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : separator) + item;
  return text;
}

std::vector<std::string> marked_names(const Network& network) {
  std::vector<std::string> names;
  for (const Node& node : network.nodes()) {
    if (node.operation != "MarkOutput") continue;
    for (const std::string_view input : node.inputs)
      names.push_back("'" + std::string(input) + "'");
  }
  return names;
}

/// What the MarkOutput at `index` marks; a single node may be called `name` instead.
std::vector<NamedOutput> marked_by(const Network& network, std::size_t index, const char* name) {
  std::vector<NamedOutput> outputs;
  for (const std::size_t producer : network.producers(index)) {
    outputs.push_back({std::string(network.node(producer).id), producer});
  }
  if (name != nullptr && outputs.size() == 1) outputs[0].name = name;
  return outputs;
}

std::vector<NamedOutput> select_outputs(const Network& network,
                                        const std::vector<std::string>& registered) {
  std::vector<NamedOutput> outputs;
  const auto append = [&](std::vector<NamedOutput> more) {
    outputs.insert(outputs.end(), more.begin(), more.end());
  };
  for (const std::string& name : registered) {
    const std::ptrdiff_t found = network.find(name);
    if (found < 0) {
      throw InputError(
          "no node of the file is called '" + name + "' (--output); it marks " +
          (marked_names(network).empty() ? "no outputs" : joined(marked_names(network))));
    }
    const auto index = static_cast<std::size_t>(found);
    if (network.node(index).operation == "MarkOutput") {
      append(marked_by(network, index, name.c_str()));
    } else {
      outputs.push_back({name, index});
    }
  }
  if (registered.empty()) {
    for (std::size_t index = 0; index < network.nodes().size(); ++index) {
      if (network.node(index).operation == "MarkOutput") append(marked_by(network, index, nullptr));
    }
  }
  if (outputs.empty()) throw InputError("the file marks no output; name one with --output");
  std::set<std::string> names;
  for (const NamedOutput& output : outputs) {
    if (!names.insert(output.name).second) {
      throw InputError("two outputs are called '" + output.name + "'; name each node once");
    }
  }
  return outputs;
}

/// "'input_1' [?, 28, 28, 1]" for every input of the file.
std::vector<std::string> input_names(const Network& network) {
  std::vector<std::string> names;
  for (const Node& node : network.nodes()) {
    if (!is_input(node)) continue;
    const std::optional<Shape> shape = declared_shape(network.meta(), node);
    names.push_back("'" + std::string(node.id) + "' " + (shape ? to_string(*shape) : "[]"));
  }
  return names;
}

/// Bytes that constants computed at import may take: weights are transposed or widened once or
/// twice, everything else is small.
std::uint64_t constant_budget(const Network& network) {
  constexpr std::uint64_t kPerStoredByte = 8;
  constexpr std::uint64_t kFloor = std::uint64_t{1} << 24U;
  std::uint64_t stored = 0;
  const auto count = [&stored](const Fields& fields) {
    for (const auto& [name, data] : fields) {
      if (const auto* blob = std::get_if<Blob>(&data)) stored += blob->bytes.size;
    }
  };
  count(network.meta().referenced_data);
  for (const Node& node : network.nodes()) count(node.fields);
  return kFloor + kPerStoredByte * stored;
}

/// One run of UffParser::parse.
class Import {
 public:
  Import(const Network& network, const std::map<std::string, RegisteredInput>& inputs,
         std::vector<std::size_t> order)
      : network_(network), inputs_(inputs), order_(std::move(order)) {
    state_.values.resize(network.nodes().size());
    state_.constant_bytes_left = constant_budget(network);
  }

  chexnet_trt::Graph run(const std::vector<NamedOutput>& outputs) {
    check_registered_inputs();
    find_nodes_without_handler();
    try {
      for (const std::size_t index : order_) import_node(index);
    } catch (const InputError&) {
      if (unsupported_.empty()) throw;
    }
    report_problems();
    for (const NamedOutput& output : outputs) {
      NodeImporter node(network_, output.index, state_);
      state_.graph.add_output(output.name, node.materialise(state_.values[output.index]));
    }
    state_.graph.verify();
    return std::move(state_.graph);
  }

 private:
  void check_registered_inputs() const {
    for (const auto& [name, registered] : inputs_) {
      const std::ptrdiff_t index = network_.find(name);
      if (index < 0 || !is_input(network_.node(static_cast<std::size_t>(index)))) {
        throw InputError("the file has no input '" + name + "' (--uffInput); its inputs are " +
                         joined(input_names(network_)));
      }
      const auto at = static_cast<std::size_t>(index);
      if (std::find(order_.begin(), order_.end(), at) == order_.end()) {
        log(Severity::kWarning, "input '" + name + "' has no influence on the outputs; left out");
      }
    }
  }

  void find_nodes_without_handler() {
    for (const std::size_t index : order_) {
      const Node& node = network_.node(index);
      if (is_input(node)) {
        const std::optional<Shape> shape = declared_shape(network_.meta(), node);
        if (shape && !shape->empty() && shape->front() > 0) {
          state_.fixed_batches.insert(shape->front());
        }
      } else if (find_handler(node.operation) == nullptr) {
        unsupported_.push_back(described(node) + "the operation is not known here; " +
                               "rewrite that part of the model, or cut it off with --output");
      }
    }
  }

  void import_node(std::size_t index) {
    const Node& node = network_.node(index);
    NodeImporter importer(network_, index, state_);
    for (const std::size_t producer : network_.producers(index)) {
      if (!state_.values[producer].is_known()) return;
    }
    if (is_input(node)) {
      import_input(importer, index);
      return;
    }
    const Handler handler = find_handler(node.operation);
    if (handler == nullptr) return;
    try {
      state_.values[index] = handler(importer);
    } catch (const UnsupportedNode& problem) {
      unsupported_.emplace_back(problem.what());
    }
  }

  void import_input(NodeImporter& importer, std::size_t index) {
    const Node& node = importer.node();
    const auto registered = inputs_.find(std::string(node.id));
    const std::optional<TensorLayout> consumed = consumed_layout(network_, order_, index);
    if (registered != inputs_.end()) {
      state_.values[index] = import_registered_input(importer, registered->second, consumed);
    } else if (node.operation == "_PlaceholderWithDefault" && importer.input_count() == 1) {
      state_.values[index] = importer.input(0);
    } else if (std::optional<Value> value = import_declared_input(importer, consumed)) {
      state_.values[index] = std::move(*value);
    } else {
      unregistered_.push_back("'" + std::string(node.id) + "'");
    }
  }

  void report_problems() const {
    if (!unsupported_.empty()) {
      throw InputError(std::to_string(unsupported_.size()) +
                       (unsupported_.size() == 1 ? " node" : " nodes") +
                       " of the network cannot be imported: " + joined(unsupported_, "; "));
    }
    if (!unregistered_.empty()) {
      throw InputError("the file does not say the shape of the input " + joined(unregistered_) +
                       "; pass --uffInput NAME,C,H,W for each");
    }
  }

  const Network& network_;
  const std::map<std::string, RegisteredInput>& inputs_;
  std::vector<std::size_t> order_;
  ImportState state_;
  std::vector<std::string> unsupported_;
  std::vector<std::string> unregistered_;
};

}  // namespace

bool UffParser::register_input(const std::string& name, Shape dims, UffInputOrder order,
                               ElementType element) {
  const std::size_t expected = order == UffInputOrder::kNC ? 1 : 3;
  if (dims.size() != expected) {
    throw InputError("input '" + name + "' needs " + std::to_string(expected) +
                     (expected == 1 ? " extent" : " extents") + " without the batch, got " +
                     to_string(dims));
  }
  for (const std::int64_t extent : dims) {
    if (extent < 1) throw InputError("input '" + name + "' has an extent below 1");
  }
  if (!inputs_.emplace(name, RegisteredInput{std::move(dims), order, element}).second) {
    throw InputError("input '" + name + "' is registered twice; name each input once");
  }
  return true;
}

bool UffParser::register_output(const std::string& name) {
  if (std::find(outputs_.begin(), outputs_.end(), name) != outputs_.end()) {
    throw InputError("two outputs are called '" + name + "'; name each node once");
  }
  outputs_.push_back(name);
  return true;
}

chexnet_trt::Graph UffParser::parse(const MetaGraph& meta) const {
  const Network network(meta);
  const std::vector<NamedOutput> outputs = select_outputs(network, outputs_);
  std::vector<std::size_t> roots;
  roots.reserve(outputs.size());
  for (const NamedOutput& output : outputs) roots.push_back(output.index);
  return Import(network, inputs_, network.dependencies(roots)).run(outputs);
}

}  // namespace chexnet_trt::uff
