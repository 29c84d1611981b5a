#include "backends/cuda/memory_estimate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/cuda/device_constants.hpp"
#include "backends/cuda/fusion.hpp"
#include "backends/cuda/networks.hpp"
#include "common/error.hpp"
#include "test_folder.hpp"

namespace chexnet_trt::cuda {
namespace {

constexpr std::size_t kMiB = 1 << 20;

TEST(MemoryEstimate, SaysWhatIsNeededAndWhatIsThere) {
  const MemoryEstimate needed{45 * kMiB, 2000 * kMiB + 1, 3 * kMiB};
  CompileOptions options;
  options.batch = 128;
  options.precision = Precision::kFloat16;
  EXPECT_NO_THROW(require_memory(needed, {needed.total(), 80000 * kMiB}, options));
  const auto refused = [&] { require_memory(needed, {needed.total() - 1, 80000 * kMiB}, options); };
  EXPECT_EQ(message_of<BackendError>(refused),
            "batch 128 in fp16 needs about 2049 MiB of the GPU's memory (weights 45 MiB, "
            "activations 2001 MiB, inputs and outputs 3 MiB), and 2048 MiB of 80000 MiB are free: "
            "use a smaller batch, or end what else uses the GPU");
}

TEST(MemoryEstimate, CountsTheWeightsOnce) {
  const Graph g = testing::residual_network();
  const std::size_t half = PackedConstants(fuse(g, 1, Precision::kFloat16)).bytes().size();
  EXPECT_EQ(PackedConstants(fuse(g, 8, Precision::kFloat16)).bytes().size(), half);
  const std::size_t single = PackedConstants(fuse(g, 1, Precision::kFloat32)).bytes().size();
  EXPECT_GT(single, half * 3 / 2);
  EXPECT_LT(single, half * 2);
}

}  // namespace
}  // namespace chexnet_trt::cuda
