#include "passes/embed_preprocessing.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "common/error.hpp"
#include "graph/rewriter.hpp"
#include "passes/channels.hpp"

// Before:      x = input, floating
// After:       x = input, uint8; (cast(x) - mean) / std for the readers of x
// Conditions:  x is the only floating image input, with one mean and std a channel. Not in the
//              pipeline: the builder asks for it.

namespace chexnet_trt {
namespace {

NodeId find_image_input(const Graph& graph) {
  std::vector<NodeId> images;
  for (const NodeId id : graph.inputs()) {
    const auto& input = std::get<InputAttributes>(graph.node(id).attributes);
    if (input.shape.size() == 4 && input.layout != TensorLayout::kPlain &&
        is_floating(input.element)) {
      images.push_back(id);
    }
  }
  if (images.size() == 1) return images.front();
  throw InputError("preprocessing needs one floating image input, the network has " +
                   std::to_string(images.size()));
}

void check_numbers(const std::string& name, std::int64_t channels, const std::vector<double>& mean,
                   const std::vector<double>& std) {
  const auto count = static_cast<std::size_t>(channels);
  if (mean.size() != count || std.size() != count) {
    throw InputError("input '" + name + "' has " + std::to_string(channels) + " channels, got " +
                     std::to_string(mean.size()) + " means and " + std::to_string(std.size()) +
                     " standard deviations");
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  if (!std::all_of(mean.begin(), mean.end(), finite) ||
      !std::all_of(std.begin(), std.end(), positive)) {
    throw InputError("preprocessing needs finite means and positive standard deviations");
  }
}

/// `base`, changed until neither graph has it.
std::string free_name(const Graph& source, const Graph& result, const std::string& base) {
  std::string name = base;
  while (source.find(name) >= 0 || result.find(name) >= 0) name += "_";
  return name;
}

/// Adds `image` of `source` to `graph` as uint8 and the arithmetic; returns the value that replaces
/// it.
NodeId add_preprocessing(const Graph& source, Graph& graph, const Node& image,
                         const std::vector<double>& mean, const std::vector<double>& std) {
  const TensorLayout layout = std::get<InputAttributes>(image.attributes).layout;
  const std::size_t channel_axis = passes::channel_axis_of(layout);
  check_numbers(image.name, image.type.shape[channel_axis], mean, std);
  Shape per_channel(4, 1);
  per_channel[channel_axis] = image.type.shape[channel_axis];
  const ElementType type = image.type.element;
  const auto name = [&](const char* suffix) {
    return free_name(source, graph, image.name + suffix);
  };
  const auto constant = [&](const char* suffix, const std::vector<double>& values) {
    return graph.add_constant(name(suffix), tensor_from_doubles(type, per_channel, values));
  };
  const NodeId pixels =
      graph.add_input(image.name, {ElementType::kUInt8, image.type.shape}, layout);
  const NodeId cast = graph.add(Op::kCast, name("/float"), {pixels}, CastAttributes{type});
  const NodeId centred = graph.add(Op::kBinary, name("/centred"), {cast, constant("/mean", mean)},
                                   BinaryAttributes{BinaryKind::kSub});
  return graph.add(Op::kBinary, name("/normalised"), {centred, constant("/std", std)},
                   BinaryAttributes{BinaryKind::kDiv});
}

}  // namespace

Graph embed_preprocessing(const Graph& graph, const std::vector<double>& mean,
                          const std::vector<double>& std) {
  const NodeId image = find_image_input(graph);
  GraphRewriter rewriter(graph);
  for (std::size_t index = 0; index < graph.nodes().size(); ++index) {
    const auto id = static_cast<NodeId>(index);
    if (id == image) {
      rewriter.replace(id, add_preprocessing(graph, rewriter.result(), graph.node(id), mean, std));
    } else {
      rewriter.copy(id);
    }
  }
  Graph result = rewriter.finish();
  result.verify();
  return result;
}

}  // namespace chexnet_trt
