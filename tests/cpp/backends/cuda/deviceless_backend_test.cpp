#include "backends/cuda/deviceless_backend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/cuda/device_harness.hpp"
#include "backends/cuda/kernels/kernels.hpp"
#include "backends/cuda/networks.hpp"
#include "backends/cuda/tactics.hpp"
#include "common/error.hpp"

namespace chexnet_trt {
namespace {

using ::testing::HasSubstr;
using testing::OnDevice;
using testing::options_for;

constexpr const char* kReason = "no GPU in this test";

std::vector<std::string> kernels_of(const Executable& executable) {
  std::vector<std::string> kernels;
  for (const LayerInfo& layer : executable.layers()) kernels.push_back(layer.kernel);
  return kernels;
}

TEST(DevicelessBackend, CompilesEveryPrecisionWithThePlainTileAndRunsNone) {
  const auto backend = cuda::make_deviceless_backend(kReason);
  EXPECT_EQ(backend->cannot_run(), kReason);
  EXPECT_EQ(backend->timings(), nullptr);
  const Graph g = testing::residual_network();
  const std::string plain = "conv_" + cuda::name_of(cuda::conv_tiles().at(cuda::plain_conv_tile()));
  for (const Precision precision :
       {Precision::kFloat32, Precision::kFloat16, Precision::kBFloat16}) {
    const auto executable = backend->compile(g, options_for(4, precision));
    int convolutions = 0;
    for (const LayerInfo& layer : executable->layers()) {
      if (layer.type != "conv") continue;
      EXPECT_EQ(layer.kernel, plain);
      ++convolutions;
    }
    EXPECT_GT(convolutions, 4);
    try {
      executable->create_execution();
      FAIL() << "should not run";
    } catch (const BackendError& error) {
      EXPECT_THAT(error.what(), HasSubstr(kReason));
    }
  }
  EXPECT_THROW(backend->compile(g, options_for(0, Precision::kFloat32)), InputError);
}

TEST(DevicelessBackend, ReadsItsBlobs) {
  const auto backend = cuda::make_deviceless_backend(kReason);
  const Graph g = testing::residual_network();
  const CompileOptions options = options_for(2, Precision::kFloat16);
  const auto executable = backend->compile(g, options);
  const std::vector<std::byte> blob = executable->serialize();
  const auto again = backend->deserialize({blob.data(), blob.size()}, g, options);
  EXPECT_EQ(kernels_of(*again), kernels_of(*executable));
  EXPECT_EQ(again->serialize(), blob);
  EXPECT_THROW(
      backend->deserialize({blob.data(), blob.size()}, g, options_for(3, Precision::kFloat16)),
      BackendError);
}

TEST_F(OnDevice, TakesNoBlobThatWasMadeWithoutOne) {
  const Graph g = testing::residual_network();
  const CompileOptions options = options_for(2, Precision::kFloat16);
  const std::vector<std::byte> blob =
      cuda::make_deviceless_backend(kReason)->compile(g, options)->serialize();
  EXPECT_THROW(cuda::make_backend()->deserialize({blob.data(), blob.size()}, g, options),
               BackendError);
}

}  // namespace
}  // namespace chexnet_trt
