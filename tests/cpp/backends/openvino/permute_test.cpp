#include "backends/openvino/permute.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace chexnet_trt::openvino {
namespace {

template <typename T>
void expect_permuted(const std::vector<std::size_t>& shape) {
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t count =
      std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
  std::vector<T> source(count);
  std::iota(source.begin(), source.end(), T{0});
  do {
    std::vector<T> target(count);
    permute(reinterpret_cast<const std::byte*>(source.data()), shape, order, sizeof(T),
            reinterpret_cast<std::byte*>(target.data()));
    for (std::size_t flat = 0; flat < count; ++flat) {
      std::vector<std::size_t> index(shape.size());
      std::size_t rest = flat;
      for (std::size_t axis = shape.size(); axis-- > 0;) {
        index[order[axis]] = rest % shape[order[axis]];
        rest /= shape[order[axis]];
      }
      std::size_t from = 0;
      for (std::size_t axis = 0; axis < shape.size(); ++axis)
        from = from * shape[axis] + index[axis];
      ASSERT_EQ(target[flat], source[from]) << "at " << flat;
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Permute, MovesEveryPermutationOfEveryElementSize) {
  expect_permuted<std::uint32_t>({3, 2, 5, 4});
  expect_permuted<std::uint32_t>({1, 3, 1, 4});
  expect_permuted<std::uint8_t>({2, 3, 4});
  expect_permuted<std::uint16_t>({70, 45});
  expect_permuted<std::uint64_t>({2, 40, 33});
  expect_permuted<std::uint32_t>({1, 1});
}

TEST(Permute, MovesAScalar) {
  const float source = 3;
  float target = 0;
  permute(reinterpret_cast<const std::byte*>(&source), {}, {}, sizeof source,
          reinterpret_cast<std::byte*>(&target));
  EXPECT_EQ(target, 3);
}

}  // namespace
}  // namespace chexnet_trt::openvino
