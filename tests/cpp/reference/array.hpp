#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/shape.hpp"
#include "graph/attributes.hpp"

namespace chexnet_trt::reference {

using Index = std::vector<std::int64_t>;

/// A dense float64 array in C order.
struct Array {
  Shape shape;
  std::vector<double> values;

  explicit Array(Shape extents)
      : shape(std::move(extents)), values(static_cast<std::size_t>(element_count(shape))) {}
  Array(Shape extents, std::vector<double> elements)
      : shape(std::move(extents)), values(std::move(elements)) {
    if (values.size() != static_cast<std::size_t>(element_count(shape))) {
      throw Error("an array of the wrong size for " + to_string(shape));
    }
  }

  double operator()(const Index& index) const { return values.at(offset(index)); }
  double& operator()(const Index& index) { return values.at(offset(index)); }

  /// The element that NumPy's broadcasting reads for `index` of a wider shape.
  double broadcast(const Index& index) const {
    Index own(index.end() - static_cast<std::ptrdiff_t>(shape.size()), index.end());
    for (std::size_t axis = 0; axis < own.size(); ++axis) {
      if (shape[axis] == 1) own[axis] = 0;
    }
    return (*this)(own);
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    Index index(shape.size(), 0);
    for (const double value : values) {
      visit(index, value);
      for (std::size_t axis = shape.size(); axis-- > 0;) {
        if (++index[axis] < shape[axis]) break;
        index[axis] = 0;
      }
    }
  }

  template <typename Function>
  void fill(Function function) {
    std::size_t next = 0;
    for_each([&](const Index& index, double) { values[next++] = function(index); });
  }

 private:
  std::size_t offset(const Index& index) const {
    std::int64_t flat = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      flat = flat * shape[axis] + index.at(axis);
    }
    return static_cast<std::size_t>(flat);
  }
};

struct ImageIndex {
  std::int64_t n, h, w, c;
};

inline ImageIndex image_index(const Index& at, TensorLayout layout) {
  if (layout == TensorLayout::kNhwc) return {at[0], at[1], at[2], at[3]};
  return {at[0], at[2], at[3], at[1]};
}

/// Reads a rank-4 array by batch, row, column and channel.
class ImageView {
 public:
  ImageView(const Array& array, TensorLayout layout)
      : array_(array), nhwc_(layout == TensorLayout::kNhwc) {}

  std::int64_t channels() const { return array_.shape[nhwc_ ? 3 : 1]; }
  bool contains(std::int64_t h, std::int64_t w) const {
    return h >= 0 && w >= 0 && h < array_.shape[nhwc_ ? 1 : 2] && w < array_.shape[nhwc_ ? 2 : 3];
  }
  double at(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) const {
    return array_(nhwc_ ? Index{n, h, w, c} : Index{n, c, h, w});
  }

 private:
  const Array& array_;
  bool nhwc_;
};

}  // namespace chexnet_trt::reference
