#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "graph/graph.hpp"

namespace chexnet_trt {

// The text form: one line a node, in order, then one line an output.
//
//   "x" = input() element=float32 shape=[?,3,8,8] layout=nchw : float32[?,3,8,8]
//   "w" = constant() value=@0+432 : float32[3,3,3,4]
//   "y" = conv2d("t","w") layout=nhwc strides=[1,1] ... : float32[?,6,6,4]
//   output "scores" = "y"
//
// A constant is written `@offset+size` into a weights blob, or as numbers `{1,2}`.

/// Alignment of every constant in the weights blob, in bytes.
constexpr std::size_t kWeightAlignment = 64;

/// The text with constants as offsets into the blob that `write_weights` streams. Stable: equal
/// graphs give equal text.
std::string to_text(const Graph& graph);

/// Feeds the weights blob piece by piece: constants in node order, zero bytes between for
/// alignment.
void write_weights(const Graph& graph, const std::function<void(ByteView)>& sink);

/// Parses `to_text`'s output; constants lie in `weights`, kept alive by `owner`. Checks every
/// offset and verifies the graph. Raises InputError with the line number.
Graph graph_from_text(std::string_view text, ByteView weights = {},
                      const std::shared_ptr<const void>& owner = nullptr);

}  // namespace chexnet_trt
