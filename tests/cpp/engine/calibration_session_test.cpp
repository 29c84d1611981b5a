#include "engine/calibration_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <utility>

#include "backends/registry.hpp"
#include "calibration/calibration_cache.hpp"
#include "common/error.hpp"
#include "engine/conv_graph.hpp"
#include "engine/fake_backend.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

using testing::HasSubstr;
using Images = std::vector<float>;

constexpr std::size_t kImage = 8 * 8 * 2;  // numbers

/// Normal, of `count` images of conv_graph.
Images random_images(std::size_t count) {
  std::mt19937 engine(5);
  std::normal_distribution<float> normal;
  Images values(count * kImage);
  for (float& value : values) value = normal(engine);
  return values;
}

void add(CalibrationSession& session, const Images& images, std::size_t first, std::size_t count) {
  const ByteView bytes(images.data() + (first * kImage), count * kImage * sizeof(float));
  session.add({bytes}, static_cast<std::int64_t>(count));
}

CalibrationOptions options_of(CalibrationMethod method, std::int64_t sample_limit = 0) {
  CalibrationOptions options;
  options.method = method;
  options.max_batch = 4;
  options.sample_limit = sample_limit;
  return options;
}

DynamicRanges ranges_of(const Images& images, const CalibrationOptions& options,
                        std::size_t batch = 4) {
  CalibrationSession session(conv_graph(), options);
  const std::size_t count = images.size() / kImage;
  for (std::size_t first = 0; first < count; first += batch) {
    add(session, images, first, std::min(batch, count - first));
  }
  EXPECT_EQ(session.image_count(), static_cast<std::int64_t>(count));
  return session.ranges();
}

const CalibrationMethod kMinMax{CalibrationAlgorithm::kMinMax};
const CalibrationMethod kMaximum{CalibrationAlgorithm::kPercentile, 100};

TEST(CalibrationSession, MinMaxIsExactWhateverIsSampled) {
  const Images images = random_images(6);
  double input = 0;
  double relu = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const double value = images[i];
    input = std::fmax(input, std::abs(value));
    relu = std::fmax(relu, i % 2 == 0 ? value : -2 * value);
  }
  const DynamicRanges expected{{"relu", storable_amax(relu)}, {"x", storable_amax(input)}};
  EXPECT_EQ(ranges_of(images, options_of(kMinMax)), expected);
  EXPECT_EQ(ranges_of(images, options_of(kMinMax, 1)), expected);
  EXPECT_EQ(ranges_of(images, options_of(kMaximum)), expected);
}

TEST(CalibrationSession, ASampleIsAGridOfPositions) {
  Images image(kImage, 0.5F);
  image[0] = 3;             // row 0, column 0, channel 0
  image[2 * (8 + 1)] = 10;  // row 1, column 1, channel 0
  const auto amax_of_input = [&](std::int64_t limit) {
    return ranges_of(image, options_of(kMaximum, limit)).at("x");
  };
  EXPECT_EQ(amax_of_input(0), storable_amax(10));
  EXPECT_EQ(amax_of_input(kImage), storable_amax(10));
  EXPECT_EQ(amax_of_input(kImage - 1), storable_amax(3));
  EXPECT_EQ(amax_of_input(1), storable_amax(3));
}

TEST(CalibrationSession, BatchesDoNotCount) {
  const Images images = random_images(7);
  for (const CalibrationMethod& method : {CalibrationMethod{}, kMinMax, kMaximum}) {
    const CalibrationOptions options = options_of(method, 32);
    const DynamicRanges expected = ranges_of(images, options, 1);
    EXPECT_EQ(ranges_of(images, options, 3), expected);
    EXPECT_EQ(ranges_of(images, options, 4), expected);
  }
}

TEST(CalibrationSession, ThreadsDoNotCount) {
  const Images images = random_images(4);
  CalibrationOptions options = options_of({});
  const DynamicRanges expected = ranges_of(images, options);
  options.threads = 1;
  EXPECT_EQ(ranges_of(images, options), expected);
}

TEST(CalibrationSession, HasTheInputsOfTheNetworkAndNoRangesBeforeTheFirstImage) {
  const CalibrationSession session(conv_graph(), options_of({}));
  ASSERT_EQ(session.inputs().size(), 1U);
  EXPECT_EQ(session.inputs()[0].name, "x");
  EXPECT_EQ(session.image_count(), 0);
  EXPECT_THAT(message_of<InputError>([&] { session.ranges(); }), HasSubstr("without images"));
}

TEST(CalibrationSession, RefusesInputsOfAnotherSizeOrNumber) {
  CalibrationSession session(conv_graph(), options_of({}));
  const Images images = random_images(5);
  const ByteView one(images.data(), kImage * sizeof(float));
  const auto error = [&](const std::vector<ByteView>& inputs, std::int64_t batch) {
    return message_of<InputError>([&] { session.add(inputs, batch); });
  };
  EXPECT_THAT(error({one}, 2), HasSubstr("'x'"));
  EXPECT_THAT(error({one, one}, 1), HasSubstr("has 1 inputs, got 2"));
  EXPECT_THAT(error({}, 1), HasSubstr("has 1 inputs, got 0"));
  EXPECT_THROW(add(session, images, 0, 5), InputError);
  EXPECT_EQ(session.image_count(), 0);
}

TEST(CalibrationSession, NamesWhatIsNotFinite) {
  const auto error = [](const CalibrationMethod& method, float value) {
    CalibrationSession session(conv_graph(), options_of(method, 32));
    Images image(kImage, 0.5F);
    image[kImage - 1] = value;
    return message_of<InputError>([&] { add(session, image, 0, 1); });
  };
  for (const CalibrationMethod& method : {CalibrationMethod{}, kMinMax}) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      EXPECT_THAT(error(method, bad), HasSubstr("the input 'x' was given a value that is not"));
    }
  }
  EXPECT_THAT(error(kMinMax, -3e38F), HasSubstr("cannot calibrate 'relu': "));
}

TEST(CalibrationSession, ObservationsRunWhereTheirValuesAreComputed) {
  const Graph graph = conv_graph();
  const std::vector<NodeId> values{graph.find("relu"), graph.find("last")};
  const Graph observed = observe(graph, values, {Observation::kExtremes});
  CompileOptions options;
  options.profiling = true;
  const auto executable = backend("openvino").compile(observed, options);
  const auto execution = executable->create_execution();
  const HostBuffers buffers(input_infos(observed), output_infos(observed), 1, backend("openvino"));
  execution->enqueue(buffers.bindings(), nullptr);
  execution->wait();
  std::vector<std::string> layers;
  for (const LayerTime& layer : execution->layer_times()) layers.push_back(layer.name);
  const auto position = [&](const char* name) {
    return std::find(layers.begin(), layers.end(), name) - layers.begin();
  };
  EXPECT_LT(position("relu/max"), position("last"));
  EXPECT_LT(position("last"), static_cast<std::ptrdiff_t>(layers.size()));
}

TEST(CalibrationSession, RefusesANetworkWithNothingToQuantise) {
  EXPECT_THAT(message_of<InputError>([] { CalibrationSession(tiny_graph(), {}); }),
              HasSubstr("nothing to quantise"));
}

TEST(CalibrationSession, ChecksItsOptions) {
  const auto error = [](const CalibrationOptions& options) {
    return message_of<InputError>([&] { CalibrationSession(conv_graph(), options); });
  };
  CalibrationOptions options;
  options.max_batch = 0;
  EXPECT_THAT(error(options), HasSubstr("a batch of 1 or more"));
  options.max_batch = 1;
  options.sample_limit = -1;
  EXPECT_THAT(error(options), HasSubstr("0 or more"));
  options.sample_limit = 0;
  options.backend = "nowhere";
  EXPECT_THAT(error(options), HasSubstr("'nowhere'"));
}

TEST(CalibrationSession, ABackendThatFailsSaysSo) {
  FakeBackend fake;
  fake.behaviour.fail_runs = true;
  CalibrationSession session(conv_graph(), options_of({}), fake);
  EXPECT_THROW(add(session, random_images(1), 0, 1), BackendError);
}

}  // namespace
}  // namespace chexnet_trt
