#include <gtest/gtest.h>

#include <algorithm>

#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

constexpr auto kFloat = ElementType::kFloat32;

/// Values in [-1, 1) moved to where `kind` is defined.
double in_domain(UnaryKind kind, double x) {
  switch (kind) {
    case UnaryKind::kLog:
    case UnaryKind::kSqrt:
    case UnaryKind::kRsqrt: return 2 * std::abs(x) + 0.05;
    case UnaryKind::kAcosh: return 1.05 + std::abs(x) * 3;
    case UnaryKind::kAtanh:
    case UnaryKind::kAsin:
    case UnaryKind::kAcos: return 0.97 * x;
    case UnaryKind::kTan: return 1.2 * x;
    default: return 4 * x + 0.013;
  }
}

TEST(LowerUnary, EveryKind) {
  for (int kind = 0; kind <= static_cast<int>(UnaryKind::kFloor); ++kind) {
    const auto unary = static_cast<UnaryKind>(kind);
    Graph graph;
    const NodeId x = graph.add_input("x", {kFloat, {kBatch, 5, 11}});
    graph.add_output("y", graph.add(Op::kUnary, "y", {x}, UnaryAttributes{unary}));
    expect_matches_with(graph, std::string(name_of(unary)), [&](std::int64_t batch) {
      Arrays inputs = reference::random_inputs(graph, batch, 11);
      for (double& value : inputs[0]) value = in_domain(unary, value);
      return inputs;
    });
  }
}

TEST(LowerActivation, EveryKindOverAWideRange) {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::kLeakyRelu); ++kind) {
    const auto activation = static_cast<ActivationKind>(kind);
    for (const double alpha : {0.2, 1.5}) {
      Graph graph;
      const NodeId x = graph.add_input("x", {kFloat, {kBatch, 4, 4, 3}});
      graph.add_output(
          "y", graph.add(Op::kActivation, "y", {x}, ActivationAttributes{activation, alpha}));
      expect_matches_with(graph, std::string(name_of(activation)), [&](std::int64_t batch) {
        Arrays inputs = reference::random_inputs(graph, batch, 13);
        for (double& value : inputs[0]) value *= 20;
        return inputs;
      });
    }
  }
}

TEST(LowerBinary, EveryKindWithBroadcasting) {
  const std::vector<std::pair<Shape, Shape>> shapes{{{kBatch, 3, 4}, {kBatch, 3, 4}},
                                                    {{kBatch, 3, 4}, {4}},
                                                    {{3, 1}, {kBatch, 1, 4}},
                                                    {{}, {kBatch, 2}}};
  for (int kind = 0; kind <= static_cast<int>(BinaryKind::kPow); ++kind) {
    const auto binary = static_cast<BinaryKind>(kind);
    for (const auto& [left, right] : shapes) {
      Graph graph;
      const NodeId a = graph.add_input("a", {kFloat, left});
      const NodeId b = graph.add_input("b", {kFloat, right});
      graph.add_output("y", graph.add(Op::kBinary, "y", {a, b}, BinaryAttributes{binary}));
      expect_matches_with(graph, std::string(name_of(binary)), [&](std::int64_t batch) {
        Arrays inputs = reference::random_inputs(graph, batch, 17);
        // A positive base and a divisor away from zero.
        if (binary == BinaryKind::kPow) {
          for (double& value : inputs[0]) value = std::abs(value) + 0.1;
        }
        if (binary == BinaryKind::kDiv) {
          for (double& value : inputs[1]) value += value < 0 ? -0.2 : 0.2;
        }
        return inputs;
      });
    }
  }
}

TEST(LowerBinary, IntegersDivideTowardsZero) {
  for (const BinaryKind kind : {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul,
                                BinaryKind::kDiv, BinaryKind::kMin, BinaryKind::kMax}) {
    for (const ElementType type : {ElementType::kInt32, ElementType::kInt64}) {
      Graph graph;
      const NodeId a = graph.add_input("a", {type, {kBatch, 6}});
      const NodeId b = graph.add_constant("b", Tensor::from_ints(type, {6}, {2, -2, 3, -3, 7, 1}));
      graph.add_output("y", graph.add(Op::kBinary, "y", {a, b}, BinaryAttributes{kind}));
      Buffers buffers(graph, 1);
      buffers.fill({{7, 7, -7, -7, 20, -1}});
      const auto execution = backend("openvino").compile(graph, options_for(1))->create_execution();
      execution->enqueue(buffers.bindings(), nullptr);
      execution->wait();
      const Arrays expected = reference::interpret(graph, 1, {{7, 7, -7, -7, 20, -1}});
      if (kind == BinaryKind::kDiv) {
        expect_close(buffers.outputs(), {{3, -3, -2, 2, 2, -1}}, 0, "div");
      } else {
        expect_close(buffers.outputs(), expected, 0, std::string(name_of(kind)));
      }
    }
  }
}

TEST(LowerCast, BytesToFloatsAndFloatsToIntegers) {
  Graph graph;
  const NodeId bytes = graph.add_input("bytes", {ElementType::kUInt8, {kBatch, 4}});
  const NodeId floats = graph.add_input("floats", {kFloat, {kBatch, 4}});
  graph.add_output("f", graph.add(Op::kCast, "f", {bytes}, CastAttributes{kFloat}));
  graph.add_output("i32",
                   graph.add(Op::kCast, "i32", {floats}, CastAttributes{ElementType::kInt32}));
  graph.add_output("i64",
                   graph.add(Op::kCast, "i64", {floats}, CastAttributes{ElementType::kInt64}));
  graph.add_output("same", graph.add(Op::kCast, "same", {floats}, CastAttributes{kFloat}));
  const Arrays inputs{{0, 1, 200, 255}, {-1.75, -0.5, 0.5, 99.9}};
  const auto executable = backend("openvino").compile(graph, options_for(1));
  const std::vector<double> truncated{-1, 0, 0, 99};
  expect_close(run(*executable, graph, 1, inputs), {inputs[0], truncated, truncated, inputs[1]},
               1e-6, "casts");
}

}  // namespace
}  // namespace chexnet_trt::testing
