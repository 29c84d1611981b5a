#include <optional>

#include "graph/rewriter.hpp"
#include "passes/never_negative.hpp"
#include "passes/passes.hpp"

// Before:      p = pad(x); y = conv2d(p, w) or max_pool(p)
// After:       y = the same of x, with the pad added to its own pads
// Conditions:  the pad touches height and width alone. For a max_pool also: x has no negative
//              elements, so that a zero never beats the pixel beside it, and the sum of the pads
//              stays below the kernel. An average_pool never: it would count other pixels.

namespace chexnet_trt::passes {
namespace {

/// Adds the pad of `node` to `attributes`; false when it touches other axes than height and width.
template <typename WindowAttributes>
bool absorb(const PadAttributes& pad, WindowAttributes& attributes) {
  const std::size_t height = attributes.layout == TensorLayout::kNhwc ? 1 : 2;
  for (std::size_t axis = 0; axis < 4; ++axis) {
    const bool is_spatial = axis == height || axis == height + 1;
    if (!is_spatial && (pad.pads_begin[axis] != 0 || pad.pads_end[axis] != 0)) return false;
  }
  for (std::size_t i = 0; i < 2; ++i) {
    attributes.pads_begin[i] += pad.pads_begin[height + i];
    attributes.pads_end[i] += pad.pads_end[height + i];
  }
  return true;
}

/// The attributes of `node` with `pad` in them, if the conditions hold.
std::optional<Attributes> absorbed(const Node& node, const PadAttributes& pad,
                                   bool never_negative_input) {
  if (node.op == Op::kConv2D) {
    auto attributes = std::get<ConvAttributes>(node.attributes);
    if (absorb(pad, attributes)) return attributes;
  }
  if (node.op == Op::kMaxPool && never_negative_input) {
    auto attributes = std::get<PoolAttributes>(node.attributes);
    bool fits = absorb(pad, attributes);
    for (std::size_t i = 0; i < 2; ++i) {
      fits = fits && attributes.pads_begin[i] < attributes.kernel[i] &&
             attributes.pads_end[i] < attributes.kernel[i];
    }
    if (fits) return attributes;
  }
  return std::nullopt;
}

}  // namespace

Graph fold_pad(const Graph& graph, int& rewrites) {
  const std::vector<bool> known = never_negative_values(graph);
  GraphRewriter rewriter(graph);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = graph.node(id);
    std::optional<Attributes> attributes;
    if (!node.inputs.empty() && graph.node(node.inputs[0]).op == Op::kPad) {
      const Node& pad = graph.node(node.inputs[0]);
      const bool never_negative_input = known[static_cast<std::size_t>(pad.inputs[0])];
      attributes = absorbed(node, std::get<PadAttributes>(pad.attributes), never_negative_input);
    }
    if (!attributes) {
      rewriter.copy(id);
      continue;
    }
    std::vector<NodeId> inputs = rewriter.mapped(node.inputs);
    inputs[0] = rewriter.mapped(graph.node(node.inputs[0]).inputs[0]);
    rewriter.replace(id, rewriter.result().add(node.op, node.name, inputs, *attributes));
    ++rewrites;
  }
  return rewriter.finish();
}

}  // namespace chexnet_trt::passes
