#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "backends/cuda/device_memory.hpp"
#include "backends/cuda/host_kernels.hpp"
#include "backends/cuda/on_device.hpp"
#include "backends/cuda/unit_affine.hpp"
#include "graph/graph.hpp"

// Kernels without a matrix product, each against what it does on the host (host_kernels.hpp), in
// memory that both reach.

namespace chexnet_trt::testing {
namespace {

using cuda::DeviceActivation;
using cuda::DeviceValue;
using cuda::ImageSize;
using cuda::InputArguments;
using cuda::PinnedBuffer;
using cuda::PoolArguments;

constexpr int kGarbage = 0x7e;
constexpr std::size_t kGuard = 64;  ///< bytes behind a value that nobody may write
constexpr std::size_t kWord = 16;
constexpr ElementType kStoredTypes[] = {ElementType::kFloat32, ElementType::kFloat16,
                                        ElementType::kBFloat16, ElementType::kInt8,
                                        ElementType::kUInt8};

std::int64_t pixels_of(const ImageSize& size) {
  return static_cast<std::int64_t>(size.images) * size.height * size.width;
}

/// Whole numbers of 1 / 64 in [-1, 1], which every type but int8 keeps; of bytes any.
void fill(void* data, ElementType element, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<double> values(count);
  for (double& value : values) {
    value = size_of(element) == 1 ? static_cast<double>(random() % 256)
                                  : (static_cast<double>(random() % 129) - 64) / 64;
    if (element == ElementType::kInt8) value -= 128;
  }
  const Tensor tensor = tensor_from_doubles(element, {static_cast<std::int64_t>(count)}, values);
  std::memcpy(data, tensor.bytes().data, tensor.bytes().size);
}

/// An image whose pixels are whole words apart, full of garbage.
class Stored {
 public:
  Stored(const ImageSize& size, ElementType element, float scale)
      : size_(size), bytes_(bytes_of(size, element)), buffer_(bytes_ + kGuard) {
    value_ = {buffer_.data(), element, scale, 1 / scale, pitch_of(size, element)};
    std::memset(buffer_.data(), kGarbage, bytes_ + kGuard);
  }

  const DeviceValue& value() const { return value_; }
  void fill(unsigned seed) {
    testing::fill(value_.data, value_.element, bytes_ / size_of(value_.element), seed);
  }

  bool is_guard_whole() const {
    const std::byte* guard = buffer_.data() + bytes_;
    return std::all_of(guard, guard + kGuard,
                       [](std::byte byte) { return byte == std::byte{kGarbage}; });
  }

  /// The channels as they are stored, without their scale.
  std::vector<double> levels() const {
    const auto count = static_cast<std::int64_t>(bytes_ / size_of(value_.element));
    const std::vector<double> all =
        Tensor::copy(value_.element, {count}, {buffer_.data(), bytes_}).to_doubles();
    std::vector<double> levels;
    for (std::int64_t pixel = 0; pixel < pixels_of(size_); ++pixel) {
      const auto first = all.begin() + pixel * value_.pitch;
      levels.insert(levels.end(), first, first + size_.channels);
    }
    return levels;
  }

 private:
  static std::int64_t pitch_of(const ImageSize& size, ElementType element) {
    const auto numbers = static_cast<std::int64_t>(kWord / size_of(element));
    return (size.channels + numbers - 1) / numbers * numbers;
  }
  static std::size_t bytes_of(const ImageSize& size, ElementType element) {
    return static_cast<std::size_t>(pixels_of(size) * pitch_of(size, element)) * size_of(element);
  }

  ImageSize size_;
  std::size_t bytes_;
  PinnedBuffer buffer_;
  DeviceValue value_;
};

class Floats {
 public:
  explicit Floats(const std::vector<float>& values)
      : buffer_(std::max<std::size_t>(values.size(), 1) * sizeof(float)) {
    std::copy(values.begin(), values.end(), reinterpret_cast<float*>(buffer_.data()));
  }
  const float* data() const { return reinterpret_cast<const float*>(buffer_.data()); }

 private:
  PinnedBuffer buffer_;
};

void finish() { cuda::check(cudaDeviceSynchronize(), "running a kernel"); }

struct InputCase {
  int channels, block;
  int height, width;
  int pad_y, pad_x;
  int output_height, output_width;
};

void expect_input_matches(const InputCase& own, ElementType element, bool channels_first,
                          ElementType stored, bool has_affine) {
  constexpr int kImages = 3;
  // All results are exact, or halves of levels.
  const float scale = size_of(stored) == 1 ? 1.0F / 32 : 1;
  const auto count = static_cast<std::size_t>(kImages * own.channels * own.height * own.width);
  const PinnedBuffer binding(count * size_of(element));
  fill(binding.data(), element, count, static_cast<unsigned>(count));
  const Floats mul({0.5F, 0.25F, 2.0F, -1.0F});
  const Floats add({1.0F, -0.5F, 0.125F, 0.25F});
  InputArguments arguments;
  arguments.data = binding.data();
  arguments.element = element;
  arguments.channels_first = channels_first;
  arguments.size = {kImages, own.height, own.width, own.channels};
  arguments.block = own.block;
  arguments.pad_y = own.pad_y;
  arguments.pad_x = own.pad_x;
  arguments.output_height = own.output_height;
  arguments.output_width = own.output_width;
  if (has_affine) {
    arguments.epilogue.mul = mul.data();
    arguments.epilogue.add = add.data();
  }
  const ImageSize out{kImages, own.output_height, own.output_width,
                      own.block * own.block * own.channels};
  const Stored actual(out, stored, scale);
  const Stored expected(out, stored, scale);
  arguments.epilogue.output = actual.value();
  cuda::check(launch_input(arguments, nullptr), "launching");
  finish();
  arguments.epilogue.output = expected.value();
  run_on_host(arguments);
  const std::string what = std::to_string(own.channels) + " channels of " +
                           std::to_string(own.height) + " x " + std::to_string(own.width) + " " +
                           std::string(name_of(element)) + (channels_first ? " nchw" : " nhwc") +
                           " as " + std::string(name_of(stored));
  ASSERT_EQ(actual.levels(), expected.levels()) << what;
  EXPECT_TRUE(actual.is_guard_whole()) << what;
}

TEST_F(OnDevice, ReadsImagesOfEverySizeTypeAndLayout) {
  const InputCase cases[] = {
      {3, 2, 24, 24, 3, 3, 15, 15},  // as a convolution of 7 x 7 reads them
      {3, 2, 33, 70, 2, 2, 19, 37}, {3, 2, 9, 7, 0, 1, 5, 4},   {3, 2, 40, 131, 1, 0, 22, 67},
      {3, 2, 1, 1, 0, 0, 1, 1},     {3, 2, 5, 64, 3, 3, 6, 40}, {3, 1, 9, 14, 0, 0, 9, 14},
      {1, 2, 17, 12, 3, 2, 11, 9},  {4, 2, 6, 9, 1, 1, 5, 6},   {2, 1, 7, 5, 0, 0, 7, 5},
  };
  for (const InputCase& own : cases) {
    for (const ElementType element : {ElementType::kFloat32, ElementType::kUInt8}) {
      for (const ElementType stored : kStoredTypes) {
        for (const bool channels_first : {true, false}) {
          for (const bool has_affine : {true, false}) {
            expect_input_matches(own, element, channels_first, stored, has_affine);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

struct PoolCase {
  bool is_max;
  int side, stride, pad, pad_end;
  ImageSize in;
};

/// What the epilogue of a pool has beside scales, shifts and relus.
struct PoolForm {
  bool has_second = false;
  bool has_residual = false;
  bool is_stored = true;  ///< without, the output is a number that only the second one is made of
};

cuda::Program pool_program(const PoolCase& own, ElementType element, const PoolForm& form) {
  cuda::Program program;
  program.images = own.in.images;
  cuda::Value value;
  value.channels = own.in.channels;
  value.element = element;
  if (size_of(element) == 1) value.scale = 1.0F / 16;
  program.values.assign(4, value);
  if (!form.is_stored) program.values[1].element = ElementType::kFloat32;
  cuda::Step step;
  step.kind = cuda::PoolStep{0, own.is_max, {own.side, own.side}};
  step.epilogue.output = 1;
  step.epilogue.stores_output = form.is_stored;
  if (form.has_residual) {
    step.epilogue.residual = 3;
    step.epilogue.activation = ActivationAttributes{ActivationKind::kRelu};
  }
  if (form.has_second) {
    step.epilogue.second = 2;
    for (int i = 0; i < own.in.channels; ++i) {
      step.epilogue.second_affine.mul.push_back(0.5F + 0.125F * static_cast<float>(i % 5));
      step.epilogue.second_affine.add.push_back(0.25F * static_cast<float>(i % 3 - 1));
    }
    step.epilogue.second_activation = ActivationAttributes{ActivationKind::kRelu};
  }
  program.steps.push_back(std::move(step));
  return program;
}

/// Of results of some operations; 8-bit ones may end up on the other side of a half.
double tolerance_of(ElementType element) {
  switch (element) {
    case ElementType::kFloat32: return 1e-6;
    case ElementType::kFloat16: return 2e-3;
    case ElementType::kBFloat16: return 2e-2;
    default: return 1;
  }
}

void expect_near(const Stored& actual, const Stored& expected, double tolerance,
                 const std::string& what) {
  const std::vector<double> levels = actual.levels();
  const std::vector<double> wanted = expected.levels();
  for (std::size_t i = 0; i < levels.size(); ++i) {
    ASSERT_NEAR(levels[i], wanted[i], tolerance) << what << ", number " << i;
  }
  EXPECT_TRUE(actual.is_guard_whole()) << what;
}

void expect_pool_matches(const PoolCase& own, ElementType element, const PoolForm& form) {
  const cuda::Program program = pool_program(own, element, form);
  const cuda::Step& step = program.steps[0];
  const Floats units(unit_affine(program, step));
  const Floats second_mul(step.epilogue.second_affine.mul);
  const Floats second_add(step.epilogue.second_affine.add);
  const float scale = program.values[0].scale;
  const auto extent = [&](int in) {
    return (in + own.pad + own.pad_end - own.side) / own.stride + 1;
  };
  const ImageSize out{own.in.images, extent(own.in.height), extent(own.in.width), own.in.channels};
  Stored input(own.in, element, scale);
  input.fill(static_cast<unsigned>(own.in.width));
  Stored residual(out, element, scale);
  residual.fill(static_cast<unsigned>(own.in.height));
  const Stored actual(out, element, scale);
  const Stored actual_second(out, element, scale);
  const Stored expected(out, element, scale);
  const Stored expected_second(out, element, scale);
  PoolArguments arguments;
  arguments.input = input.value();
  arguments.input_size = own.in;
  arguments.output_size = out;
  arguments.window = {own.side, own.side, own.stride, own.stride, own.pad, own.pad};
  arguments.is_max = own.is_max;
  arguments.epilogue.units = units.data();
  const auto output_of = [&](const Stored& stored) {
    return form.is_stored ? stored.value() : DeviceValue{};
  };
  const DeviceActivation relu{static_cast<int>(ActivationKind::kRelu), 0, 0};
  arguments.epilogue.output = output_of(actual);
  if (form.has_residual) {
    arguments.epilogue.activation = relu;
    arguments.epilogue.residual = residual.value();
  }
  if (form.has_second) {
    arguments.epilogue.second_mul = second_mul.data();
    arguments.epilogue.second_add = second_add.data();
    arguments.epilogue.second_activation = relu;
    arguments.epilogue.second = actual_second.value();
  }
  cuda::check(launch_pool(arguments, nullptr), "launching");
  finish();
  arguments.epilogue.output = output_of(expected);
  if (form.has_second) arguments.epilogue.second = expected_second.value();
  run_on_host(arguments);
  const std::string what = std::string(own.is_max ? "max" : "mean") + " of " +
                           std::to_string(own.side) + ", stride " + std::to_string(own.stride) +
                           ", of " + std::to_string(own.in.height) + " x " +
                           std::to_string(own.in.width) + " " + std::string(name_of(element));
  const double tolerance = tolerance_of(element);
  const bool is_exact = own.is_max && !form.has_residual;
  if (form.is_stored) expect_near(actual, expected, is_exact ? 0 : tolerance, what);
  if (form.has_second) expect_near(actual_second, expected_second, tolerance, what + ", second");
}

TEST_F(OnDevice, PoolsByEveryWindowAtEveryBorder) {
  for (const bool is_max : {true, false}) {
    const PoolCase cases[] = {
        {is_max, 3, 2, 0, 1, {2, 16, 20, 64}}, {is_max, 3, 2, 1, 1, {3, 17, 23, 24}},
        {is_max, 3, 2, 1, 1, {2, 1, 1, 8}},    {is_max, 3, 2, 2, 2, {1, 5, 2, 16}},
        {is_max, 2, 2, 0, 0, {2, 13, 18, 40}}, {is_max, 2, 2, 1, 1, {2, 9, 8, 16}},
        {is_max, 3, 1, 1, 1, {1, 7, 9, 16}},   {is_max, 1, 2, 0, 0, {2, 9, 11, 32}},
        {is_max, 5, 3, 2, 2, {1, 14, 9, 8}},   {is_max, 3, 2, 1, 0, {2, 11, 10, 12}},
        {is_max, 2, 2, 0, 1, {2, 7, 5, 5}},
    };
    for (const PoolCase& own : cases) {
      for (const ElementType element : kStoredTypes) {
        for (const bool has_second : {true, false}) {
          expect_pool_matches(own, element, {has_second});
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_F(OnDevice, RunsEveryFormOfAnEpilogue) {
  for (const bool is_max : {true, false}) {
    for (const ElementType element : kStoredTypes) {
      for (const PoolForm& form : {PoolForm{false, true}, PoolForm{true, true},
                                   PoolForm{true, false, false}, PoolForm{true, true, false}}) {
        expect_pool_matches({is_max, 3, 2, 1, 1, {2, 11, 14, 24}}, element, form);
        if (HasFatalFailure()) return;
      }
    }
  }
}

/// Enough of them that a thread computes several rows.
TEST_F(OnDevice, PoolsManyRows) {
  for (const int height : {365, 368}) {
    expect_pool_matches({true, 3, 2, 1, 1, {4, height, 360, 64}}, ElementType::kInt8, {true});
    if (HasFatalFailure()) return;
  }
  expect_pool_matches({false, 2, 2, 0, 0, {4, 369, 362, 32}}, ElementType::kFloat16, {});
}

}  // namespace
}  // namespace chexnet_trt::testing
