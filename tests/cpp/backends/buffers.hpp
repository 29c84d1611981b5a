#pragma once

#include <cstdint>
#include <vector>

#include "backends/backend.hpp"
#include "graph/graph.hpp"

namespace chexnet_trt::testing {

using Arrays = std::vector<std::vector<double>>;

/// Owns the dense host buffers of one batch.
class Buffers {
 public:
  Buffers(const Graph& graph, std::int64_t batch) {
    for (const NodeId id : graph.inputs()) add(graph.node(id).type, batch);
    inputs_ = tensors_.size();
    for (const GraphOutput& output : graph.outputs()) add(graph.node(output.value).type, batch);
  }

  void fill(const Arrays& inputs) {
    for (std::size_t index = 0; index < inputs.size(); ++index) {
      const ValueType& type = types_[index];
      const Tensor tensor = tensor_from_doubles(type.element, type.shape, inputs[index]);
      tensors_[index].assign(tensor.bytes().begin(), tensor.bytes().end());
    }
  }

  std::vector<Binding> bindings() {
    std::vector<Binding> result;
    for (auto& tensor : tensors_) result.push_back({tensor.data(), MemoryKind::kHost});
    return result;
  }

  Arrays outputs() const {
    Arrays result;
    for (std::size_t index = inputs_; index < tensors_.size(); ++index) {
      const ByteView bytes(tensors_[index].data(), tensors_[index].size());
      result.push_back(
          Tensor::copy(types_[index].element, types_[index].shape, bytes).to_doubles());
    }
    return result;
  }

 private:
  void add(const ValueType& type, std::int64_t batch) {
    types_.push_back({type.element, with_batch(type.shape, batch)});
    const auto count = static_cast<std::size_t>(element_count(types_.back().shape));
    tensors_.emplace_back(count * size_of(type.element));
  }

  std::vector<ValueType> types_;
  std::vector<std::vector<std::byte>> tensors_;
  std::size_t inputs_ = 0;
};

inline Arrays run(Executable& executable, const Graph& graph, std::int64_t batch,
                  const Arrays& inputs) {
  Buffers buffers(graph, batch);
  buffers.fill(inputs);
  const auto execution = executable.create_execution();
  execution->enqueue(buffers.bindings(), nullptr);
  execution->wait();
  return buffers.outputs();
}

}  // namespace chexnet_trt::testing
