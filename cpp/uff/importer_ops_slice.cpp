#include <algorithm>

#include "uff/importer_ops.hpp"

namespace chexnet_trt::uff::handlers {
namespace {

/// The operands of one axis as TensorFlow gives them.
struct AxisSlice {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t stride = 1;
  bool open_begin = false;
  bool open_end = false;
  bool shrink = false;
  bool end_is_batch = false;
};

std::vector<std::int64_t> integers_of(const NodeImporter& node, std::size_t position,
                                      const char* what) {
  const Value& value = node.input(position);
  if (!value.constant) {
    node.unsupported(std::string(what) +
                     " is computed at run time; export the model with a "
                     "constant");
  }
  if (is_floating(value.constant->type()) || value.constant->shape().size() != 1) {
    node.fail(std::string(what) + " is not a list of integers");
  }
  std::vector<std::int64_t> values = value.constant->to_ints();
  for (const std::int64_t entry : values) {
    if (entry < -0x80000000LL || entry > 0x7FFFFFFF) node.fail(std::string(what) + " is too large");
  }
  return values;
}

std::vector<AxisSlice> read_slices(const NodeImporter& node, std::size_t rank) {
  const std::vector<std::int64_t> begin = integers_of(node, 1, "the begin");
  const std::vector<std::int64_t> end = integers_of(node, 2, "the end");
  const std::vector<std::int64_t> strides = integers_of(node, 3, "the strides");
  if (begin.size() != end.size() || begin.size() != strides.size() || begin.size() > rank) {
    node.fail("begin, end and strides do not fit a value of rank " + std::to_string(rank));
  }
  if (node.input(1).batch_mask || node.input(3).batch_mask) {
    node.fail("its begin or strides depend on the batch size");
  }
  std::vector<std::int64_t> batch_ends(end.size(), 0);
  if (node.input(2).batch_mask) batch_ends = node.input(2).batch_mask->to_ints();
  const std::int64_t begin_mask = node.integer("begin_mask", 0);
  const std::int64_t end_mask = node.integer("end_mask", 0);
  const std::int64_t shrink_mask = node.integer("shrink_axis_mask", 0);
  std::vector<AxisSlice> slices(rank, AxisSlice{0, 0, 1, true, true, false, false});
  for (std::size_t axis = 0; axis < begin.size(); ++axis) {
    const std::int64_t bit = std::int64_t{1} << axis;
    slices[axis] = {begin[axis],           end[axis],
                    strides[axis],         (begin_mask & bit) != 0,
                    (end_mask & bit) != 0, (shrink_mask & bit) != 0,
                    batch_ends[axis] != 0};
  }
  return slices;
}

void check_batch_axis(const NodeImporter& node, const AxisSlice& slice) {
  const bool whole = (slice.open_begin || slice.begin == 0) && !slice.shrink && slice.stride == 1 &&
                     (slice.open_end || slice.end_is_batch || slice.end == 0x7FFFFFFF ||
                      node.fixed_batches().count(slice.end) != 0);
  if (!whole) node.fail("it cuts the batch; a network must treat the images of a batch alike");
}

/// TensorFlow's rules for one axis: negative positions count from the end, ranges are clamped.
void resolve_axis(const NodeImporter& node, const AxisSlice& slice, std::int64_t extent,
                  SliceAttributes& result) {
  if (slice.end_is_batch) node.fail("its end depends on the batch size");
  if (slice.stride == 0) node.fail("a stride of 0");
  const auto from_front = [&](std::int64_t at) { return at < 0 ? at + extent : at; };
  std::int64_t begin = from_front(slice.begin);
  std::int64_t end = from_front(slice.end);
  std::int64_t stride = slice.stride;
  if (slice.shrink) {
    if (begin < 0 || begin >= extent || stride < 0) node.fail("it picks an index out of range");
    end = begin + 1;
    stride = 1;
  } else {
    const std::int64_t lowest = stride > 0 ? 0 : -1;
    const std::int64_t highest = stride > 0 ? extent : extent - 1;
    begin = slice.open_begin ? (stride > 0 ? 0 : extent - 1) : std::clamp(begin, lowest, highest);
    end = slice.open_end ? (stride > 0 ? extent : -1) : std::clamp(end, lowest, highest);
  }
  result.begin.push_back(begin);
  result.end.push_back(end);
  result.strides.push_back(stride);
}

}  // namespace

Value strided_slice(NodeImporter& node) {
  node.require_inputs(4);
  const Shape shape = node.type_of(node.input(0)).shape;
  const std::vector<AxisSlice> slices = read_slices(node, shape.size());
  SliceAttributes attributes;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] != kBatch) {
      resolve_axis(node, slices[axis], shape[axis], attributes);
      continue;
    }
    check_batch_axis(node, slices[axis]);
    attributes.begin.push_back(0);
    attributes.end.push_back(kBatch);
    attributes.strides.push_back(1);
  }
  const bool shrinks = std::any_of(slices.begin(), slices.end(),
                                   [](const AxisSlice& slice) { return slice.shrink; });
  Value sliced = node.emit(Op::kSlice, {node.input(0)}, attributes, shrinks ? "/slice" : "");
  if (!shrinks) return sliced;
  const Shape full = node.type_of(sliced).shape;
  Shape kept;
  for (std::size_t axis = 0; axis < full.size(); ++axis) {
    if (!slices[axis].shrink) kept.push_back(full[axis]);
  }
  return node.emit(Op::kReshape, {sliced}, ReshapeAttributes{kept});
}

}  // namespace chexnet_trt::uff::handlers
