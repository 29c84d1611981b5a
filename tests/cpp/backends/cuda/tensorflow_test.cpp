#include <cstdlib>
#include <string>

#include "backends/buffers.hpp"
#include "backends/cuda/on_device.hpp"
#include "backends/tensorflow_fixture.hpp"

namespace chexnet_trt::testing {
namespace {

/// The environment's, where the program runs on another machine than the one that built it.
std::string data_folder() {
  const char* folder = std::getenv("CHEXNET_TRT_TEST_DATA");
  return folder == nullptr ? CHEXNET_TRT_TEST_DATA : folder;
}

TEST_F(OnDevice, AgreesWithTensorFlow) {
  const TensorFlowFixture fixture(data_folder());
  const auto backend = cuda::make_backend();
  const std::pair<Precision, double> tolerances[] = {{Precision::kFloat32, 1e-4},
                                                     {Precision::kFloat16, 1e-2}};
  for (const auto& [precision, tolerance] : tolerances) {
    CompileOptions options;
    options.batch = TensorFlowFixture::kImages;
    options.precision = precision;
    const auto executable = backend->compile(fixture.graph, options);
    const Arrays outputs = run(*executable, fixture.graph, options.batch, {fixture.images});
    ASSERT_EQ(outputs[0].size(), fixture.scores.size());
    for (std::size_t i = 0; i < fixture.scores.size(); ++i) {
      EXPECT_NEAR(outputs[0][i], fixture.scores[i], tolerance) << name_of(precision) << " " << i;
    }
  }
}

}  // namespace
}  // namespace chexnet_trt::testing
