#include <algorithm>

#include "uff/import_orders.hpp"
#include "uff/importer_ops.hpp"

namespace chexnet_trt::uff::handlers {
namespace {

const Axes kHwio{2, 3, 1, 0};
const Axes kHwoi{2, 3, 0, 1};

constexpr std::size_t height_axis(TensorLayout layout) {
  return layout == TensorLayout::kNhwc ? 1 : 2;
}

/// A field of two integers, height and width; `absent` when missing or empty.
Spatial spatial(const NodeImporter& node, std::string_view name, std::int64_t absent) {
  const std::vector<std::int64_t> values = node.integers(name);
  if (values.empty()) return {absent, absent};
  if (values.size() != 2 || values[0] < 0 || values[1] < 0) {
    node.fail("the field '" + std::string(name) + "' needs two entries, height and width");
  }
  return {values[0], values[1]};
}

void require_image(const NodeImporter& node, const ValueType& type) {
  if (type.shape.size() != 4) {
    node.fail("it needs an image of rank 4, got " + to_string(type.shape));
  }
  if (!is_floating(type.element)) node.fail("it needs floating-point values");
}

bool has_same_padding(const NodeImporter& node) {
  const std::string padding = node.text("implicit_padding", "");
  if (!padding.empty() && padding != "same") {
    node.unsupported("the implicit padding '" + padding + "' is unknown; UFF has only 'same'");
  }
  return !padding.empty();
}

struct Pads {
  Spatial begin{0, 0};
  Spatial end{0, 0};
};

/// TensorFlow's SAME: the smaller half goes first.
Pads same_pads(const NodeImporter& node, const Spatial& extents, const Spatial& window,
               const Spatial& strides) {
  Pads pads;
  for (std::size_t i = 0; i < 2; ++i) {
    if (strides[i] < 1 || window[i] < 1) node.fail("strides and kernel must be positive");
    const std::int64_t out = (extents[i] + strides[i] - 1) / strides[i];
    const std::int64_t total =
        std::max<std::int64_t>((out - 1) * strides[i] + window[i] - extents[i], 0);
    pads.begin[i] = total / 2;
    pads.end[i] = total - total / 2;
  }
  return pads;
}

Spatial extents_of(const Shape& shape, TensorLayout layout) {
  const std::size_t height = height_axis(layout);
  return {shape[height], shape[height + 1]};
}

Pads pads_of(const NodeImporter& node, const Spatial& extents, const Spatial& window,
             const Spatial& strides) {
  const Spatial padding = spatial(node, "padding", 0);
  if (!has_same_padding(node)) return {padding, padding};
  if (padding != Spatial{0, 0}) node.fail("it has both explicit and implicit padding");
  return same_pads(node, extents, window, strides);
}

/// Operand 1 as a constant whose axes are in the order `wanted`.
Value weights(NodeImporter& node, const Axes& wanted) {
  const Tensor& stored = node.constant(1, "the weights");
  if (stored.shape().size() != 4) {
    node.fail("the weights need rank 4, got " + to_string(stored.shape()));
  }
  const Axes permutation = permutation_between(stored_axes(node, 1, 4, wanted), wanted);
  if (permutation == Axes{0, 1, 2, 3}) return node.input(1);
  return node.emit(Op::kTranspose, {node.input(1)}, TransposeAttributes{permutation}, "/weights");
}

/// Depthwise weights [H, W, C, M] are grouped weights [H, W, 1, C * M].
Value grouped_weights(NodeImporter& node, std::int64_t groups, std::int64_t channels) {
  Value value = weights(node, kHwio);
  const Shape& shape = value.constant->shape();
  if (groups <= 1 || groups != channels || shape[2] != groups) return value;
  return node.emit(Op::kReshape, {value},
                   ReshapeAttributes{{shape[0], shape[1], 1, shape[2] * shape[3]}}, "/weights");
}

Value make_pool(NodeImporter& node, Op op, const Value& x, const PoolAttributes& attributes) {
  return node.emit(op, {x}, attributes);
}

Op pool_op(const NodeImporter& node) {
  const std::string function = node.text("func");
  if (function == "max") return Op::kMaxPool;
  if (function == "avg") return Op::kAveragePool;
  node.unsupported("the pooling function '" + function + "' is unknown; UFF has max and avg");
}

/// `padding` stems from a Pad in front of the pooling, so the zeros take part.
Value zero_padded(NodeImporter& node, const Value& x, TensorLayout layout, const Spatial& padding) {
  if (padding == Spatial{0, 0}) return x;
  PadAttributes pad{Axes(4, 0), Axes(4, 0)};
  for (std::size_t i = 0; i < 2; ++i) {
    pad.pads_begin[height_axis(layout) + i] = padding[i];
    pad.pads_end[height_axis(layout) + i] = padding[i];
  }
  return node.emit(Op::kPad, {x}, pad, "/pad");
}

void require_parameters(const NodeImporter& node, std::size_t first) {
  for (std::size_t position = first; position < node.input_count(); ++position) {
    const Shape shape = node.type_of(node.input(position)).shape;
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {
      node.unsupported(
          "a batch norm in training mode; freeze the model for inference "
          "(is_training=False, learning phase 0)");
    }
  }
}

Value make_batch_norm(NodeImporter& node, TensorLayout layout, double epsilon) {
  node.require_inputs(5);
  require_image(node, node.type_of(node.input(0)));
  require_parameters(node, 1);
  return node.emit(Op::kBatchNorm,
                   {node.input(0), node.input(1), node.input(2), node.input(3), node.input(4)},
                   BatchNormAttributes{layout, epsilon});
}

/// The attribute `data_format` of a custom op.
TensorLayout data_format(const NodeImporter& node) {
  const std::string format = node.text("data_format", "NHWC");
  if (format == "NHWC") return TensorLayout::kNhwc;
  if (format == "NCHW") return TensorLayout::kNchw;
  node.unsupported("the data format '" + format + "' is unknown; use NHWC or NCHW");
}

/// A list attribute of a custom op with an entry an axis: those of height and width.
Spatial custom_spatial(const NodeImporter& node, std::string_view name, TensorLayout layout) {
  const std::vector<std::int64_t> values = node.integers(name);
  if (values.size() != 4) node.fail("the field '" + std::string(name) + "' needs four entries");
  const std::size_t height = height_axis(layout);
  const std::size_t channel = layout == TensorLayout::kNhwc ? 3 : 1;
  if (values[0] != 1 || values[channel] != 1) {
    node.unsupported("it pools over the batch or the channels; rewrite the model without that");
  }
  return {values[height], values[height + 1]};
}

Value custom_pool(NodeImporter& node, Op op) {
  node.require_inputs(1);
  const ValueType type = node.type_of(node.input(0));
  require_image(node, type);
  const TensorLayout layout = data_format(node);
  const Spatial kernel = custom_spatial(node, "ksize", layout);
  const Spatial strides = custom_spatial(node, "strides", layout);
  const std::string padding = node.text("padding");
  if (padding != "SAME" && padding != "VALID") {
    node.unsupported("the padding '" + padding + "' is unknown; use SAME or VALID");
  }
  Pads pads;
  if (padding == "SAME") pads = same_pads(node, extents_of(type.shape, layout), kernel, strides);
  return make_pool(node, op, node.input(0),
                   PoolAttributes{layout, kernel, strides, pads.begin, pads.end});
}

}  // namespace

Value conv(NodeImporter& node) {
  node.require_inputs(2);
  const ValueType type = node.type_of(node.input(0));
  require_image(node, type);
  ConvAttributes attributes;
  attributes.layout = image_layout(node);
  attributes.strides = spatial(node, "strides", 1);
  attributes.dilations = spatial(node, "dilation", 1);
  attributes.groups = node.integer("number_groups", 1);
  const std::int64_t channels = type.shape[attributes.layout == TensorLayout::kNhwc ? 3 : 1];
  const Value kernel = grouped_weights(node, attributes.groups, channels);
  const Shape& shape = kernel.constant->shape();
  Spatial window;
  for (std::size_t i = 0; i < 2; ++i) window[i] = (shape[i] - 1) * attributes.dilations[i] + 1;
  const Pads pads =
      pads_of(node, extents_of(type.shape, attributes.layout), window, attributes.strides);
  attributes.pads_begin = pads.begin;
  attributes.pads_end = pads.end;
  return node.emit(Op::kConv2D, {node.input(0), kernel}, attributes);
}

Value conv_transpose(NodeImporter& node) {
  node.require_inputs(3);
  require_image(node, node.type_of(node.input(0)));
  ConvTransposeAttributes attributes;
  attributes.layout = image_layout(node);
  attributes.strides = spatial(node, "strides", 1);
  if (spatial(node, "dilation", 1) != Spatial{1, 1} || node.integer("number_groups", 1) != 1) {
    node.unsupported("a transposed convolution with dilation or groups; rewrite it without");
  }
  const Value& sizes = node.input(2);
  const ValueType sizes_type = node.type_of(sizes);
  if (!sizes.constant || is_floating(sizes_type.element) || sizes_type.shape != Shape{4}) {
    node.unsupported("its output size is no constant of four integers; export the model with one");
  }
  const std::vector<std::int64_t> values = sizes.constant->to_ints();
  const std::size_t height = height_axis(attributes.layout);
  attributes.output_size = {values[height], values[height + 1]};
  for (const std::int64_t extent : attributes.output_size) {
    if (extent < 1 || extent > 0x7FFFFFFF) node.fail("its output size is out of range");
  }
  const Value kernel = weights(node, kHwoi);
  const Shape& shape = kernel.constant->shape();
  const Pads pads = pads_of(node, attributes.output_size, {shape[0], shape[1]}, attributes.strides);
  attributes.pads_begin = pads.begin;
  attributes.pads_end = pads.end;
  return node.emit(Op::kConvTranspose2D, {node.input(0), kernel}, attributes);
}

Value pool(NodeImporter& node) {
  node.require_inputs(1);
  require_image(node, node.type_of(node.input(0)));
  const Op op = pool_op(node);
  PoolAttributes attributes;
  attributes.layout = image_layout(node);
  attributes.kernel = spatial(node, "kernel", 1);
  attributes.strides = spatial(node, "strides", 1);
  const Value x = zero_padded(node, node.input(0), attributes.layout, spatial(node, "padding", 0));
  if (has_same_padding(node)) {
    const Spatial extents = extents_of(node.type_of(x).shape, attributes.layout);
    const Pads pads = same_pads(node, extents, attributes.kernel, attributes.strides);
    attributes.pads_begin = pads.begin;
    attributes.pads_end = pads.end;
  }
  return make_pool(node, op, x, attributes);
}

Value custom_max_pool(NodeImporter& node) { return custom_pool(node, Op::kMaxPool); }
Value custom_average_pool(NodeImporter& node) { return custom_pool(node, Op::kAveragePool); }

Value batch_norm(NodeImporter& node) {
  return make_batch_norm(node, image_layout(node), node.real("epsilon"));
}

Value custom_batch_norm(NodeImporter& node) {
  if (node.flag("is_training", false)) {
    node.unsupported(
        "a batch norm in training mode; freeze the model for inference "
        "(is_training=False, learning phase 0)");
  }
  return make_batch_norm(node, data_format(node), node.real("epsilon"));
}

/// TensorFlow normalises over the last axis, whatever the order in the file says.
Value lrn(NodeImporter& node) {
  node.require_inputs(1);
  require_image(node, node.type_of(node.input(0)));
  return node.emit(Op::kLrn, {node.input(0)},
                   LrnAttributes{TensorLayout::kNhwc, node.integer("window_size"),
                                 node.real("alpha"), node.real("beta"), node.real("k")});
}

}  // namespace chexnet_trt::uff::handlers
