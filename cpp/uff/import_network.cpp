#include "uff/import_network.hpp"

#include "common/error.hpp"

namespace chexnet_trt::uff {

std::string described(const Node& node) {
  return "node '" + std::string(node.id) + "' (" + std::string(node.operation) + "): ";
}

Network::Network(const MetaGraph& meta) : meta_(meta) {
  if (meta.graphs.size() != 1) {
    throw InputError("the file holds " + std::to_string(meta.graphs.size()) +
                     " graphs, a UFF file has one; is it empty or of another kind?");
  }
  for (std::size_t index = 0; index < nodes().size(); ++index) {
    if (!by_id_.emplace(node(index).id, index).second) {
      throw InputError(described(node(index)) + "a second node has this id");
    }
  }
}

std::ptrdiff_t Network::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? -1 : static_cast<std::ptrdiff_t>(found->second);
}

std::vector<std::size_t> Network::producers(std::size_t index) const {
  std::vector<std::size_t> result;
  result.reserve(node(index).inputs.size());
  for (const std::string_view input : node(index).inputs) {
    const auto found = by_id_.find(input);
    if (found == by_id_.end()) {
      throw InputError(described(node(index)) + "its input '" + std::string(input) +
                       "' is not in the file; convert the model again");
    }
    result.push_back(found->second);
  }
  return result;
}

std::vector<std::size_t> Network::dependencies(const std::vector<std::size_t>& roots) const {
  enum class State : char { kNew, kOpen, kDone };
  struct Frame {
    std::size_t index;
    std::vector<std::size_t> producers;
    std::size_t next = 0;
  };
  std::vector<State> states(nodes().size(), State::kNew);
  std::vector<std::size_t> order;
  std::vector<Frame> stack;
  const auto open = [&](std::size_t index) {
    if (states[index] == State::kDone) return;
    if (states[index] == State::kOpen) {
      throw InputError(described(node(index)) + "the network has a cycle through this node");
    }
    states[index] = State::kOpen;
    stack.push_back({index, producers(index)});
  };
  for (const std::size_t root : roots) {
    open(root);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (frame.next < frame.producers.size()) {
        open(frame.producers[frame.next++]);
        continue;
      }
      states[frame.index] = State::kDone;
      order.push_back(frame.index);
      stack.pop_back();
    }
  }
  return order;
}

}  // namespace chexnet_trt::uff
