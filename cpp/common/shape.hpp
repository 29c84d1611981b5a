#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace chexnet_trt {

/// Extents, outermost first. `kBatch` stands for the batch dimension until an executable fixes it.
using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kBatch = -1;

/// TensorFlow kernels go no further.
constexpr std::size_t kMaxRank = 8;

/// Number of elements of a shape without `kBatch`. Raises InputError on a negative extent or when
/// the product does not fit 63 bits.
std::int64_t element_count(const Shape& shape);

/// `shape` with every `kBatch` replaced by `batch`.
Shape with_batch(const Shape& shape, std::int64_t batch);

/// "[?, 256, 256, 3]", "?" being the batch.
std::string to_string(const Shape& shape);

}  // namespace chexnet_trt
