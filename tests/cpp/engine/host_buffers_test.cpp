#include "engine/host_buffers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "engine/fake_backend.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

const std::vector<TensorInfo> kInputs{
    {"a", ElementType::kFloat32, {kBatch, 33}, TensorLayout::kPlain},
    {"b", ElementType::kInt64, {kBatch}, TensorLayout::kPlain}};
const std::vector<TensorInfo> kOutputs{
    {"y", ElementType::kFloat16, {kBatch, 2}, TensorLayout::kPlain}};

TEST(HostBuffers, AreAlignedAndOfTheSizeOfTheBatch) {
  FakeBackend backend;
  const HostBuffers buffers(kInputs, kOutputs, 3, backend);
  ASSERT_EQ(buffers.bindings().size(), 3U);
  for (const Binding& binding : buffers.bindings()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(binding.data) % 64, 0U);
  }
  EXPECT_EQ(buffers.input(0).size, 3U * 33 * 4);
  EXPECT_EQ(buffers.output(0).size, 3U * 2 * 2);
}

TEST(HostBuffers, LieWhereTheBackendPutsThem) {
  FakeBackend backend;
  std::byte* freed = nullptr;
  {
    const HostBuffers buffers(kInputs, kOutputs, 3, backend);
    ASSERT_EQ(backend.behaviour.host_memory.size(), 1U);
    const auto& memory = backend.behaviour.host_memory[0];
    EXPECT_EQ(buffers.bindings()[0].data, memory.lock().get());
    freed = memory.lock().get();
  }
  EXPECT_NE(freed, nullptr);
  EXPECT_TRUE(backend.behaviour.host_memory[0].expired());
}

TEST(HostBuffers, RandomNumbersAreInRangeAndRepeat) {
  FakeBackend backend;
  HostBuffers first(kInputs, kOutputs, 4, backend);
  HostBuffers second(kInputs, kOutputs, 4, backend);
  first.fill_inputs_randomly(9);
  second.fill_inputs_randomly(9);
  EXPECT_EQ(first.input(0).text(), second.input(0).text());
  second.fill_inputs_randomly(10);
  EXPECT_NE(first.input(0).text(), second.input(0).text());
  for (std::size_t index = 0; index < kInputs.size(); ++index) {
    const Tensor values = Tensor::copy(kInputs[index].element, with_batch(kInputs[index].shape, 4),
                                       first.input(index));
    EXPECT_THAT(values.to_doubles(),
                testing::Each(testing::AllOf(testing::Ge(-1), testing::Le(1))));
  }
}

TEST(HostBuffers, InputsFillTheirTensor) {
  FakeBackend backend;
  HostBuffers buffers(kInputs, kOutputs, 2, backend);
  const std::vector<std::int64_t> values{1, 2};
  buffers.set_input(1, {values.data(), 16});
  EXPECT_EQ(buffers.input(1).text(), ByteView(values.data(), 16).text());
  EXPECT_THAT(message_of<InputError>([&] { buffers.set_input(1, {values.data(), 8}); }),
              testing::HasSubstr("input 'b' takes 16 bytes (int64 [2]), got 8"));
}

}  // namespace
}  // namespace chexnet_trt
