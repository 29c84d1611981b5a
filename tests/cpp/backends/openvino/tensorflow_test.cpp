#include "backends/tensorflow_fixture.hpp"
#include "openvino/harness.hpp"

namespace chexnet_trt::testing {
namespace {

TEST(TensorFlow, AgreesInFloat32) {
  const TensorFlowFixture fixture(CHEXNET_TRT_TEST_DATA);
  const auto executable =
      backend("openvino").compile(fixture.graph, options_for(TensorFlowFixture::kImages));
  const Arrays outputs =
      run(*executable, fixture.graph, TensorFlowFixture::kImages, {fixture.images});
  ASSERT_EQ(outputs[0].size(), fixture.scores.size());
  for (std::size_t i = 0; i < fixture.scores.size(); ++i) {
    EXPECT_NEAR(outputs[0][i], fixture.scores[i], 1e-4) << i;
  }
}

}  // namespace
}  // namespace chexnet_trt::testing
