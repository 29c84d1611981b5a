#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "common/error.hpp"
#include "graph/op_table.hpp"
#include "passes/channels.hpp"
#include "passes/passes.hpp"

// c, d, e are constants; linear is a conv2d, conv_transpose2d or matmul with constant weights.
//
// Before:      y = sub(x, c)                  After:  y = add(x, -c)
//              y = div(x, c)                          y = mul(x, 1 / c)
//              y = mul(mul(x, c), d)                  y = mul(x, c * d)
//              y = add(add(x, c), d)                  y = add(x, c + d)
//              y = mul(linear(x, w), d)               y = linear(x, w * d)
//              y = mul(add(linear(x, w), c), d)       y = add(linear(x, w * d), c * d)
//              y = mul(add(mul(x, e), c), d)          y = add(mul(x, e * d), c * d)
// Conditions:  floating point; nothing else reads the inner values; into weights only one factor a
//              channel; a merged constant is not larger than both of its parts; no division by
//              zero.

namespace chexnet_trt::passes {
namespace {

struct Match {
  enum class Kind { kNegate, kInvert, kMerge, kScaleLinear, kScaleLinearAdd, kScaleMulAdd };
  Kind kind = Kind::kMerge;
  ConstantOperand outer;
  std::optional<ConstantOperand> middle;  ///< the add or mul below the node
  std::optional<ConstantOperand> inner;   ///< the mul below `middle`
  std::optional<LinearOp> linear;
  std::vector<double> factors;
};

Tensor combined(BinaryKind kind, const Tensor& a, const Tensor& b) {
  return *evaluate(Op::kBinary, {a, b}, BinaryAttributes{kind});
}

/// Whether one constant for both takes no more room than the larger of them.
bool merges(const Tensor& a, const Tensor& b) {
  const std::vector<ValueType> types{{a.type(), a.shape()}, {b.type(), b.shape()}};
  try {
    const ValueType type = infer_type(Op::kBinary, types, BinaryAttributes{});
    return element_count(type.shape) <= std::max(a.size(), b.size());
  } catch (const InputError&) {
    return false;
  }
}

bool invertible(const Tensor& tensor) {
  const std::vector<double> values = tensor.to_doubles();
  return std::all_of(values.begin(), values.end(), [](double value) {
    return std::isfinite(value) && std::abs(value) > 1e-30 && std::abs(value) < 1e30;
  });
}

class Matcher {
 public:
  explicit Matcher(const Graph& graph)
      : graph_(graph), uses_(graph.use_counts()), claimed_(graph.nodes().size(), false) {}

  /// The rewrite of `id`; claims the nodes that it takes part of.
  std::optional<Match> match(NodeId id) {
    std::optional<Match> found = match_sub_div(id);
    if (!found) found = match_same(id, BinaryKind::kAdd);
    if (!found) found = match_same(id, BinaryKind::kMul);
    if (!found) found = match_linear(id);
    if (!found) found = match_scaled_add(id);
    if (!found) return found;
    claimed_[static_cast<std::size_t>(id)] = true;
    if (found->middle) claim(found->outer.value);
    if (found->inner) claim(found->middle->value);
    if (found->linear) claim(found->linear->id);
    return found;
  }

  bool absorbed(NodeId id) const { return absorbed_.count(id) != 0; }

 private:
  void claim(NodeId id) {
    claimed_[static_cast<std::size_t>(id)] = true;
    absorbed_.insert(id);
  }

  /// Nobody but the node being matched reads it, and no other match of this run takes it.
  bool free(NodeId id) const {
    return uses_[static_cast<std::size_t>(id)] == 1 && !claimed_[static_cast<std::size_t>(id)];
  }

  std::optional<Match> match_sub_div(NodeId id) const {
    Match match;
    if (const auto sub = constant_operand(graph_, id, BinaryKind::kSub)) {
      match.kind = Match::Kind::kNegate;
      match.outer = *sub;
      return match;
    }
    const auto div = constant_operand(graph_, id, BinaryKind::kDiv);
    if (!div || !invertible(*div->constant)) return std::nullopt;
    match.kind = Match::Kind::kInvert;
    match.outer = *div;
    return match;
  }

  std::optional<Match> match_same(NodeId id, BinaryKind kind) const {
    const auto outer = constant_operand(graph_, id, kind);
    if (!outer || !free(outer->value)) return std::nullopt;
    Match match;
    match.middle = constant_operand(graph_, outer->value, kind);
    if (!match.middle || !merges(*outer->constant, *match.middle->constant)) return std::nullopt;
    match.outer = *outer;
    return match;
  }

  std::optional<Match> match_linear(NodeId id) const {
    const auto outer = constant_operand(graph_, id, BinaryKind::kMul);
    if (!outer || !free(outer->value)) return std::nullopt;
    Match match;
    match.kind = Match::Kind::kScaleLinear;
    match.outer = *outer;
    NodeId source = outer->value;
    match.middle = constant_operand(graph_, source, BinaryKind::kAdd);
    if (match.middle) {
      match.kind = Match::Kind::kScaleLinearAdd;
      source = match.middle->value;
      if (!merges(*outer->constant, *match.middle->constant)) return std::nullopt;
    }
    match.linear = linear_op(graph_, source);
    if (!match.linear || !free(source)) return std::nullopt;
    auto factors =
        per_channel(*outer->constant, graph_.node(id).type.shape, match.linear->channel_axis);
    if (!factors) return std::nullopt;
    match.factors = std::move(*factors);
    return match;
  }

  std::optional<Match> match_scaled_add(NodeId id) const {
    const auto outer = constant_operand(graph_, id, BinaryKind::kMul);
    if (!outer || !free(outer->value)) return std::nullopt;
    Match match;
    match.kind = Match::Kind::kScaleMulAdd;
    match.outer = *outer;
    match.middle = constant_operand(graph_, outer->value, BinaryKind::kAdd);
    if (!match.middle || !free(match.middle->value)) return std::nullopt;
    match.inner = constant_operand(graph_, match.middle->value, BinaryKind::kMul);
    if (!match.inner || !merges(*outer->constant, *match.middle->constant) ||
        !merges(*outer->constant, *match.inner->constant)) {
      return std::nullopt;
    }
    return match;
  }

  const Graph& graph_;
  std::vector<int> uses_;
  std::vector<bool> claimed_;
  std::unordered_set<NodeId> absorbed_;
};

class Writer {
 public:
  explicit Writer(GraphRewriter& rewriter) : rewriter_(rewriter) {}

  NodeId apply(NodeId id, const Match& match) {
    const Node& node = rewriter_.source().node(id);
    const Tensor& outer = *match.outer.constant;
    switch (match.kind) {
      case Match::Kind::kNegate: {
        const Tensor negated = *evaluate(Op::kUnary, {outer}, UnaryAttributes{UnaryKind::kNeg});
        return binary(node.name, BinaryKind::kAdd, rewriter_.mapped(match.outer.value), negated);
      }
      case Match::Kind::kInvert: {
        const Tensor one = tensor_from_doubles(outer.type(), {}, {1});
        return binary(node.name, BinaryKind::kMul, rewriter_.mapped(match.outer.value),
                      combined(BinaryKind::kDiv, one, outer));
      }
      case Match::Kind::kMerge: {
        const BinaryKind kind = std::get<BinaryAttributes>(node.attributes).kind;
        return binary(node.name, kind, rewriter_.mapped(match.middle->value),
                      combined(kind, outer, *match.middle->constant));
      }
      case Match::Kind::kScaleLinear: return copy_scaled(rewriter_, *match.linear, match.factors);
      case Match::Kind::kScaleLinearAdd: {
        const NodeId linear = copy_scaled(rewriter_, *match.linear, match.factors);
        return binary(node.name, BinaryKind::kAdd, linear,
                      combined(BinaryKind::kMul, outer, *match.middle->constant));
      }
      case Match::Kind::kScaleMulAdd: {
        const std::string& mul_name = rewriter_.source().node(match.middle->value).name;
        const NodeId scaled =
            binary(mul_name, BinaryKind::kMul, rewriter_.mapped(match.inner->value),
                   combined(BinaryKind::kMul, outer, *match.inner->constant));
        return binary(node.name, BinaryKind::kAdd, scaled,
                      combined(BinaryKind::kMul, outer, *match.middle->constant));
      }
    }
    throw Error("unhandled match");
  }

 private:
  NodeId binary(const std::string& name, BinaryKind kind, NodeId x, const Tensor& value) {
    const char* suffix = kind == BinaryKind::kAdd ? "/shift" : "/scale";
    const NodeId constant =
        rewriter_.result().add_constant(rewriter_.unique_name(name + suffix), value);
    return rewriter_.result().add(Op::kBinary, name, {x, constant}, BinaryAttributes{kind});
  }

  GraphRewriter& rewriter_;
};

}  // namespace

Graph merge_scale_shift(const Graph& graph, int& rewrites) {
  const auto count = static_cast<NodeId>(graph.nodes().size());
  Matcher matcher(graph);
  std::unordered_map<NodeId, Match> matches;
  for (NodeId id = 0; id < count; ++id) {
    if (auto match = matcher.match(id)) matches.emplace(id, std::move(*match));
  }
  GraphRewriter rewriter(graph);
  Writer writer(rewriter);
  for (NodeId id = 0; id < count; ++id) {
    if (matcher.absorbed(id)) continue;
    const auto match = matches.find(id);
    if (match == matches.end()) {
      rewriter.copy(id);
    } else {
      rewriter.replace(id, writer.apply(id, match->second));
    }
  }
  rewrites += static_cast<int>(matches.size());
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
