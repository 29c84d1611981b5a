#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "common/shape.hpp"

namespace chexnet_trt::uff {

/// One entry of a Reshape's shape operand.
struct ReshapeEntry {
  std::int64_t extent = 0;
  bool is_batch = false;  ///< the size of the batch, from a Shape
};

/// The shape that TensorFlow's Reshape of `source` to `target` makes when the batch is open: an
/// entry -1 is computed, 0 copies; the leading entry may say the batch as itself, -1, 1 or one of
/// `fixed_batches`. Raises InputError, without the node's name, when that would mix the images of a
/// batch.
Shape reshape_target(const Shape& source, const std::vector<ReshapeEntry>& target,
                     const std::set<std::int64_t>& fixed_batches);

}  // namespace chexnet_trt::uff
