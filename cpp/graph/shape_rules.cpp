#include "graph/shape_rules.hpp"

#include <algorithm>
#include <string>

#include "common/error.hpp"

namespace chexnet_trt::shape_rules {
namespace {

template <typename T>
const T& get(const Attributes& attributes) {
  return std::get<T>(attributes);
}

void require(bool condition, const std::string& message) {
  if (!condition) throw InputError(message);
}

void require_rank(const ValueType& value, std::size_t rank, const char* what) {
  require(value.shape.size() == rank, std::string(what) + " needs rank " + std::to_string(rank) +
                                          ", got " + to_string(value.shape));
}

void require_axis(std::int64_t axis, const ValueType& value) {
  require(axis >= 0 && axis < static_cast<std::int64_t>(value.shape.size()),
          "axis " + std::to_string(axis) + " is outside " + to_string(value.shape));
}

void require_floating(const ValueType& value, const char* what) {
  require(is_floating(value.element), std::string(what) + " needs floating-point values, got " +
                                          std::string(name_of(value.element)));
}

bool is_quantized(ElementType element) {
  return element == ElementType::kInt8 || element == ElementType::kUInt8;
}

/// Attributes come from files: within these bounds no sum or product below overflows.
void require_small(std::int64_t value, const char* what) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 31;
  require(value > -kLimit && value < kLimit,
          std::string(what) + " of " + std::to_string(value) + " is out of range");
}

struct ImageAxes {
  std::size_t channel;
  std::size_t height;
};

ImageAxes axes_of(TensorLayout layout) {
  require(layout != TensorLayout::kPlain, "an image op needs the layout nhwc or nchw");
  return layout == TensorLayout::kNhwc ? ImageAxes{3, 1} : ImageAxes{1, 2};
}

/// Output extent of a sliding window.
std::int64_t window_extent(std::int64_t in, std::int64_t window, std::int64_t stride,
                           std::int64_t pad_begin, std::int64_t pad_end) {
  for (const std::int64_t value : {window, stride, pad_begin, pad_end}) {
    require_small(value, "a window, stride or pad");
  }
  require(window > 0 && stride > 0 && pad_begin >= 0 && pad_end >= 0,
          "kernel and strides must be positive, pads >= 0");
  const std::int64_t pads = pad_begin + pad_end;
  require(in + pads >= window, "a window of " + std::to_string(window) +
                                   " does not fit an extent of " + std::to_string(in + pads));
  return (in + pads - window) / stride + 1;
}

std::int64_t broadcast_extent(std::int64_t a, std::int64_t b) {
  if (a == b || b == 1) return a;
  require(a == 1, "");
  return b;
}

Shape broadcast(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const std::size_t offset = longer.size() - shorter.size();
  try {
    for (std::size_t axis = 0; axis < shorter.size(); ++axis) {
      result[offset + axis] = broadcast_extent(longer[offset + axis], shorter[axis]);
    }
  } catch (const InputError&) {
    throw InputError("shapes " + to_string(a) + " and " + to_string(b) + " do not broadcast");
  }
  return result;
}

bool has_batch(const Shape& shape) { return !shape.empty() && shape.front() == kBatch; }

std::int64_t count_without_batch(const Shape& shape) {
  return element_count(has_batch(shape) ? Shape(shape.begin() + 1, shape.end()) : shape);
}

}  // namespace

ValueType input(const std::vector<ValueType>& /*inputs*/, const Attributes& attributes) {
  const auto& input = get<InputAttributes>(attributes);
  require(input.layout == TensorLayout::kPlain || input.shape.size() == 4,
          "an input of shape " + to_string(input.shape) + " has no image layout");
  for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
    const bool is_batch = axis == 0 && input.shape[axis] == kBatch;
    require(is_batch || input.shape[axis] > 0,
            "an input shape is positive but for its batch, got " + to_string(input.shape));
  }
  count_without_batch(input.shape);
  return {input.element, input.shape};
}

ValueType constant(const std::vector<ValueType>& /*inputs*/, const Attributes& attributes) {
  const Tensor& value = get<ConstantAttributes>(attributes).value;
  return {value.type(), value.shape()};
}

ValueType same_as_input(const std::vector<ValueType>& inputs, const Attributes& /*attributes*/) {
  return inputs[0];
}

ValueType elementwise(const std::vector<ValueType>& inputs, const Attributes& /*attributes*/) {
  require_floating(inputs[0], "the function");
  return inputs[0];
}

ValueType conv2d(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const auto& conv = get<ConvAttributes>(attributes);
  require_rank(inputs[0], 4, "the input of a convolution");
  require_floating(inputs[0], "a convolution");
  require(inputs[0].element == inputs[1].element, "input and weights are of different types");
  require_rank(inputs[1], 4, "the weights of a convolution");
  const ImageAxes axes = axes_of(conv.layout);
  const Shape& weights = inputs[1].shape;
  const std::int64_t channels = inputs[0].shape[axes.channel];
  require(conv.groups > 0 && weights[2] > 0 && channels / conv.groups == weights[2] &&
              channels % conv.groups == 0,
          "weights " + to_string(weights) + " in " + std::to_string(conv.groups) +
              " groups do not fit an input of " + std::to_string(channels) +
              " channels; is the input's layout or its size wrong?");
  require(weights[3] % conv.groups == 0, std::to_string(weights[3]) +
                                             " output channels do not divide into " +
                                             std::to_string(conv.groups) + " groups");
  ValueType result = inputs[0];
  result.shape[axes.channel] = weights[3];
  for (std::size_t i = 0; i < 2; ++i) {
    require(conv.dilations[i] > 0, "dilations must be positive");
    require_small(conv.dilations[i], "a dilation");
    require_small(weights[i], "a kernel");
    const std::int64_t window = (weights[i] - 1) * conv.dilations[i] + 1;
    std::int64_t& extent = result.shape[axes.height + i];
    extent = window_extent(extent, window, conv.strides[i], conv.pads_begin[i], conv.pads_end[i]);
  }
  return result;
}

ValueType conv_transpose2d(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const auto& conv = get<ConvTransposeAttributes>(attributes);
  require_rank(inputs[0], 4, "the input of a transposed convolution");
  require_floating(inputs[0], "a transposed convolution");
  require(inputs[0].element == inputs[1].element, "input and weights are of different types");
  require_rank(inputs[1], 4, "the weights of a transposed convolution");
  const ImageAxes axes = axes_of(conv.layout);
  const Shape& weights = inputs[1].shape;
  require(inputs[0].shape[axes.channel] == weights[3], "weights " + to_string(weights) +
                                                           " do not fit an input of shape " +
                                                           to_string(inputs[0].shape));
  ValueType result = inputs[0];
  result.shape[axes.channel] = weights[2];
  for (std::size_t i = 0; i < 2; ++i) {
    require_small(conv.output_size[i], "an output size");
    const std::int64_t forward = window_extent(conv.output_size[i], weights[i], conv.strides[i],
                                               conv.pads_begin[i], conv.pads_end[i]);
    require(forward == inputs[0].shape[axes.height + i],
            "an output size of " + std::to_string(conv.output_size[i]) +
                " does not fit an input of shape " + to_string(inputs[0].shape));
    result.shape[axes.height + i] = conv.output_size[i];
  }
  return result;
}

ValueType pool(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const auto& pool = get<PoolAttributes>(attributes);
  require_rank(inputs[0], 4, "the input of a pooling");
  require_floating(inputs[0], "a pooling");
  const ImageAxes axes = axes_of(pool.layout);
  ValueType result = inputs[0];
  for (std::size_t i = 0; i < 2; ++i) {
    require(pool.pads_begin[i] < pool.kernel[i] && pool.pads_end[i] < pool.kernel[i],
            "the padding of a pooling must be smaller than its kernel");
    std::int64_t& extent = result.shape[axes.height + i];
    extent = window_extent(extent, pool.kernel[i], pool.strides[i], pool.pads_begin[i],
                           pool.pads_end[i]);
  }
  return result;
}

ValueType matmul(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const auto& matmul = get<MatMulAttributes>(attributes);
  require_rank(inputs[0], 2, "the left operand of a matmul");
  require_floating(inputs[0], "a matmul");
  require(inputs[0].element == inputs[1].element, "operands of different types");
  require_rank(inputs[1], 2, "the right operand of a matmul");
  const std::size_t inner_a = matmul.transpose_a ? 0 : 1;
  const std::size_t inner_b = matmul.transpose_b ? 1 : 0;
  require(inputs[0].shape[inner_a] == inputs[1].shape[inner_b],
          "cannot multiply " + to_string(inputs[0].shape) + " and " + to_string(inputs[1].shape));
  require(inputs[0].shape[inner_a] != kBatch, "a matmul over the batch would mix images");
  return {inputs[0].element, {inputs[0].shape[1 - inner_a], inputs[1].shape[1 - inner_b]}};
}

ValueType binary(const std::vector<ValueType>& inputs, const Attributes& /*attributes*/) {
  require(inputs[0].element == inputs[1].element,
          "operands of different types: " + std::string(name_of(inputs[0].element)) + " and " +
              std::string(name_of(inputs[1].element)));
  return {inputs[0].element, broadcast(inputs[0].shape, inputs[1].shape)};
}

ValueType batch_norm(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  require_rank(inputs[0], 4, "the input of a batch norm");
  require_floating(inputs[0], "a batch norm");
  const Shape expected{
      inputs[0].shape[axes_of(get<BatchNormAttributes>(attributes).layout).channel]};
  for (std::size_t index = 1; index < inputs.size(); ++index) {
    require(inputs[index].element == inputs[0].element, "parameters of another type");
    require(inputs[index].shape == expected, "batch-norm parameters of shape " +
                                                 to_string(inputs[index].shape) + ", expected " +
                                                 to_string(expected));
  }
  return inputs[0];
}

ValueType lrn(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  require_rank(inputs[0], 4, "the input of a local response normalisation");
  require_floating(inputs[0], "a local response normalisation");
  require_small(get<LrnAttributes>(attributes).radius, "a radius");
  require(get<LrnAttributes>(attributes).radius >= 0, "the radius must not be negative");
  axes_of(get<LrnAttributes>(attributes).layout);
  return inputs[0];
}

ValueType softmax(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  require_floating(inputs[0], "a softmax");
  const std::int64_t axis = get<AxisAttributes>(attributes).axis;
  require_axis(axis, inputs[0]);
  require(inputs[0].shape[static_cast<std::size_t>(axis)] != kBatch,
          "a softmax over the batch would mix images");
  return inputs[0];
}

ValueType reduce(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const auto& reduce = get<ReduceAttributes>(attributes);
  require(std::is_sorted(reduce.axes.begin(), reduce.axes.end()) &&
              std::adjacent_find(reduce.axes.begin(), reduce.axes.end()) == reduce.axes.end(),
          "the axes " + to_string(reduce.axes) + " are not ascending");
  std::vector<bool> reduced(inputs[0].shape.size(), false);
  for (const std::int64_t axis : reduce.axes) {
    require_axis(axis, inputs[0]);
    require(inputs[0].shape[static_cast<std::size_t>(axis)] != kBatch,
            "reducing over the batch would mix images");
    reduced[static_cast<std::size_t>(axis)] = true;
  }
  ValueType result{inputs[0].element, {}};
  for (std::size_t axis = 0; axis < reduced.size(); ++axis) {
    if (!reduced[axis]) result.shape.push_back(inputs[0].shape[axis]);
    if (reduced[axis] && reduce.keep_dims) result.shape.push_back(1);
  }
  return result;
}

ValueType arg_reduce(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const std::int64_t axis = get<AxisAttributes>(attributes).axis;
  require_axis(axis, inputs[0]);
  require(inputs[0].shape[static_cast<std::size_t>(axis)] != kBatch,
          "an arg-max over the batch would mix images");
  ValueType result{ElementType::kInt64, inputs[0].shape};
  result.shape.erase(result.shape.begin() + axis);
  return result;
}

ValueType reshape(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const Shape& target = get<ReshapeAttributes>(attributes).shape;
  const Shape& source = inputs[0].shape;
  for (std::size_t axis = 0; axis < target.size(); ++axis) {
    require(target[axis] > 0 || (axis == 0 && target[axis] == kBatch),
            "cannot reshape to " + to_string(target));
  }
  require(has_batch(source) == has_batch(target) &&
              count_without_batch(source) == count_without_batch(target),
          "cannot reshape " + to_string(source) + " to " + to_string(target));
  return {inputs[0].element, target};
}

ValueType transpose(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const Axes& permutation = get<TransposeAttributes>(attributes).permutation;
  Axes sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  bool is_permutation = sorted.size() == inputs[0].shape.size();
  for (std::size_t axis = 0; is_permutation && axis < sorted.size(); ++axis) {
    is_permutation = sorted[axis] == static_cast<std::int64_t>(axis);
  }
  require(is_permutation, "the permutation " + to_string(permutation) + " does not fit the shape " +
                              to_string(inputs[0].shape));
  ValueType result{inputs[0].element, {}};
  for (const std::int64_t axis : permutation) {
    result.shape.push_back(inputs[0].shape[static_cast<std::size_t>(axis)]);
  }
  return result;
}

ValueType concat(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const auto axis = static_cast<std::size_t>(get<AxisAttributes>(attributes).axis);
  require_axis(get<AxisAttributes>(attributes).axis, inputs[0]);
  ValueType result = inputs[0];
  require(result.shape[axis] != kBatch, "concatenating along the batch would mix images");
  for (std::size_t index = 1; index < inputs.size(); ++index) {
    Shape aligned = inputs[index].shape;
    require(aligned.size() == result.shape.size() && inputs[index].element == result.element,
            "cannot concatenate " + to_string(inputs[0].shape) + " and " + to_string(aligned));
    const std::int64_t extent = aligned[axis];
    aligned[axis] = result.shape[axis];
    require(aligned == result.shape, "cannot concatenate " + to_string(inputs[0].shape) + " and " +
                                         to_string(inputs[index].shape) + " along axis " +
                                         std::to_string(axis));
    result.shape[axis] += extent;
  }
  return result;
}

ValueType pad(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const auto& pad = get<PadAttributes>(attributes);
  ValueType result = inputs[0];
  require(
      pad.pads_begin.size() == result.shape.size() && pad.pads_end.size() == result.shape.size(),
      "the paddings do not fit the shape " + to_string(result.shape));
  for (std::size_t axis = 0; axis < result.shape.size(); ++axis) {
    require_small(pad.pads_begin[axis], "a pad");
    require_small(pad.pads_end[axis], "a pad");
    require(pad.pads_begin[axis] >= 0 && pad.pads_end[axis] >= 0, "paddings must not be negative");
    const std::int64_t added = pad.pads_begin[axis] + pad.pads_end[axis];
    require(added == 0 || result.shape[axis] != kBatch, "the batch cannot be padded");
    if (added != 0) result.shape[axis] += added;
  }
  return result;
}

ValueType slice(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const auto& slice = get<SliceAttributes>(attributes);
  ValueType result = inputs[0];
  const std::size_t rank = result.shape.size();
  require(slice.begin.size() == rank && slice.end.size() == rank && slice.strides.size() == rank,
          "the slice does not fit the shape " + to_string(result.shape));
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::int64_t& extent = result.shape[axis];
    const std::int64_t begin = slice.begin[axis];
    const std::int64_t end = slice.end[axis];
    const std::int64_t stride = slice.strides[axis];
    if (extent == kBatch) {
      require(begin == 0 && end == kBatch && stride == 1, "the batch cannot be sliced");
      continue;
    }
    require_small(stride, "a stride");
    require(stride != 0, "a slice needs a stride");
    require(begin >= 0 && begin < extent && end >= -1 && end <= extent,
            "the slice leaves the shape " + to_string(inputs[0].shape));
    const std::int64_t span = stride > 0 ? end - begin : begin - end;
    const std::int64_t step = stride > 0 ? stride : -stride;
    require(span > 0, "the slice is empty");
    extent = (span + step - 1) / step;
  }
  return result;
}

ValueType gather(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const std::int64_t axis = get<AxisAttributes>(attributes).axis;
  require_axis(axis, inputs[0]);
  require(!is_floating(inputs[1].element), "gather needs integer indices");
  require(inputs[0].shape[static_cast<std::size_t>(axis)] != kBatch,
          "gathering along the batch would mix images");
  ValueType result = inputs[0];
  const auto at = result.shape.erase(result.shape.begin() + axis);
  result.shape.insert(at, inputs[1].shape.begin(), inputs[1].shape.end());
  return result;
}

ValueType cast(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  return {get<CastAttributes>(attributes).to, inputs[0].shape};
}

ValueType quantize(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  const ElementType element = get<QuantizeAttributes>(attributes).element;
  require(inputs[0].element == ElementType::kFloat32,
          "float32 values are quantised, got " + std::string(name_of(inputs[0].element)));
  require(is_quantized(element),
          "the result is int8 or uint8, not " + std::string(name_of(element)));
  require(inputs[1] == ValueType{ElementType::kFloat32, {}}, "the scale must be one float32");
  return {element, inputs[0].shape};
}

ValueType dequantize(const std::vector<ValueType>& inputs, const Attributes& attributes) {
  require(is_quantized(inputs[0].element),
          "int8 or uint8 values are dequantised, got " + std::string(name_of(inputs[0].element)));
  require(inputs[1].element == ElementType::kFloat32, "scales must be float32");
  if (!inputs[1].shape.empty()) {
    const std::int64_t axis = get<AxisAttributes>(attributes).axis;
    require_axis(axis, inputs[0]);
    require(inputs[1].shape == Shape{inputs[0].shape[static_cast<std::size_t>(axis)]},
            "scales of shape " + to_string(inputs[1].shape) + " do not fit axis " +
                std::to_string(axis) + " of " + to_string(inputs[0].shape));
  }
  return {ElementType::kFloat32, inputs[0].shape};
}

}  // namespace chexnet_trt::shape_rules
