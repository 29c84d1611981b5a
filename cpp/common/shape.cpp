#include "common/shape.hpp"

#include <algorithm>
#include <limits>

#include "common/error.hpp"

namespace chexnet_trt {

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0) throw InputError("shape " + to_string(shape) + " has no fixed size");
    if (extent != 0 && count > std::numeric_limits<std::int64_t>::max() / extent) {
      throw InputError("shape " + to_string(shape) + " is too large");
    }
    count *= extent;
  }
  return count;
}

Shape with_batch(const Shape& shape, std::int64_t batch) {
  Shape fixed = shape;
  std::replace(fixed.begin(), fixed.end(), kBatch, batch);
  return fixed;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis != 0) text += ", ";
    text += shape[axis] == kBatch ? "?" : std::to_string(shape[axis]);
  }
  return text + "]";
}

}  // namespace chexnet_trt
