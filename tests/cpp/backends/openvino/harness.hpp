#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "backends/registry.hpp"
#include "graph/graph.hpp"
#include "reference/interpreter.hpp"

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

inline CompileOptions options_for(std::int64_t batch) {
  CompileOptions options;
  options.batch = batch;
  options.threads = 2;
  return options;
}

inline Arrays run(Executable& executable, const Graph& graph, std::int64_t batch,
                  const Arrays& inputs) {
  Buffers buffers(graph, batch);
  buffers.fill(inputs);
  const auto execution = executable.create_execution();
  execution->enqueue(buffers.bindings(), nullptr);
  execution->wait();
  return buffers.outputs();
}

inline void expect_close(const Arrays& actual, const Arrays& expected, double tolerance,
                         const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t output = 0; output < actual.size(); ++output) {
    ASSERT_EQ(actual[output].size(), expected[output].size()) << what;
    for (std::size_t i = 0; i < actual[output].size(); ++i) {
      const double want = expected[output][i];
      ASSERT_NEAR(actual[output][i], want, tolerance * (1 + std::abs(want)))
          << what << ", output " << output << " element " << i;
    }
  }
}

/// Runs `graph` at batches 1 and 3 and compares with the float64 interpreter.
inline void expect_matches_with(const Graph& graph, const std::string& what,
                                const std::function<Arrays(std::int64_t)>& make_inputs,
                                double tolerance = 2e-5) {
  for (const std::int64_t batch : {1, 3}) {
    const Arrays inputs = make_inputs(batch);
    const auto executable = backend("openvino").compile(graph, options_for(batch));
    expect_close(run(*executable, graph, batch, inputs), reference::interpret(graph, batch, inputs),
                 tolerance, what + ", batch " + std::to_string(batch));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

inline void expect_matches(const Graph& graph, const std::string& what, double tolerance = 2e-5) {
  expect_matches_with(
      graph, what, [&](std::int64_t batch) { return reference::random_inputs(graph, batch, 7); },
      tolerance);
}

/// A float32 constant of values in [-1, 1).
inline NodeId random_constant(Graph& graph, const std::string& name, const Shape& shape,
                              unsigned seed = 1) {
  const std::vector<double> values =
      reference::random_values(static_cast<std::size_t>(element_count(shape)), seed);
  return graph.add_constant(name, tensor_from_doubles(ElementType::kFloat32, shape, values));
}

}  // namespace chexnet_trt::testing
