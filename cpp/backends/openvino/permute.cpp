#include "backends/openvino/permute.hpp"

#include <algorithm>
#include <cstring>

namespace chexnet_trt::openvino {
namespace {

/// Rows and columns of a tile: its lines on both sides stay in the first-level cache.
constexpr std::size_t kTile = 32;

/// An axis of the target: its extent and its strides, in bytes.
struct Axis {
  std::size_t extent = 1;
  std::size_t source_stride = 0;
  std::size_t target_stride = 0;
};

/// The target's axes, outermost first, without axes of extent 1 and with axes that are neighbours
/// on both sides made one.
std::vector<Axis> merged_axes(const std::vector<std::size_t>& shape,
                              const std::vector<std::size_t>& order, std::size_t element_size) {
  std::vector<std::size_t> strides(shape.size(), element_size);
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    strides[axis - 1] = strides[axis] * shape[axis];
  }
  std::vector<Axis> axes;
  for (const std::size_t axis : order) {
    const Axis next{shape[axis], strides[axis], 0};
    if (next.extent == 1) continue;
    if (!axes.empty() && axes.back().source_stride == next.source_stride * next.extent) {
      axes.back() = {axes.back().extent * next.extent, next.source_stride, 0};
    } else {
      axes.push_back(next);
    }
  }
  std::size_t stride = element_size;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    axis->target_stride = stride;
    stride *= axis->extent;
  }
  return axes;
}

/// Moves the plane spanned by two axes, one tile after the other.
template <std::size_t kSize>
void move_plane(const std::byte* source, std::byte* target, const Axis& rows, const Axis& columns) {
  for (std::size_t row = 0; row < rows.extent; row += kTile) {
    const std::size_t row_end = std::min(row + kTile, rows.extent);
    for (std::size_t column = 0; column < columns.extent; column += kTile) {
      const std::size_t column_end = std::min(column + kTile, columns.extent);
      for (std::size_t r = row; r < row_end; ++r) {
        for (std::size_t c = column; c < column_end; ++c) {
          std::memcpy(target + r * rows.target_stride + c * columns.target_stride,
                      source + r * rows.source_stride + c * columns.source_stride, kSize);
        }
      }
    }
  }
}

using MovePlane = void (*)(const std::byte*, std::byte*, const Axis&, const Axis&);

MovePlane plane_mover(std::size_t element_size) {
  switch (element_size) {
    case 1: return move_plane<1>;
    case 2: return move_plane<2>;
    case 4: return move_plane<4>;
    default: return move_plane<8>;
  }
}

/// Calls `visit(source offset, target offset)` for every index of `axes`.
template <typename Visit>
void for_each_offset(const std::vector<Axis>& axes, Visit visit) {
  std::vector<std::size_t> index(axes.size(), 0);
  while (true) {
    std::size_t source = 0;
    std::size_t target = 0;
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      source += index[axis] * axes[axis].source_stride;
      target += index[axis] * axes[axis].target_stride;
    }
    visit(source, target);
    std::size_t axis = axes.size();
    while (axis > 0 && ++index[axis - 1] == axes[axis - 1].extent) index[--axis] = 0;
    if (axis == 0) return;
  }
}

}  // namespace

void permute(const std::byte* source, const std::vector<std::size_t>& shape,
             const std::vector<std::size_t>& order, std::size_t element_size, std::byte* target) {
  std::vector<Axis> axes = merged_axes(shape, order, element_size);
  if (axes.empty()) axes.push_back({1, element_size, element_size});
  const Axis columns = axes.back();
  axes.pop_back();
  const auto rows_at = std::find_if(axes.begin(), axes.end(), [&](const Axis& axis) {
    return axis.source_stride == element_size;
  });
  Axis rows{1, 0, 0};
  if (rows_at != axes.end()) {
    rows = *rows_at;
    axes.erase(rows_at);
  }
  const MovePlane move = plane_mover(element_size);
  for_each_offset(axes, [&](std::size_t from, std::size_t to) {
    move(source + from, target + to, rows, columns);
  });
}

}  // namespace chexnet_trt::openvino
