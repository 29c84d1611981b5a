#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "c_api/chexnet_trt.h"
#include "c_api/loaded_engine.hpp"

namespace chexnet_trt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const std::string kGolden = CHEXNET_TRT_TEST_DATA "/golden_v1.engine";

std::string golden_bytes() {
  std::ifstream stream(kGolden, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct Release {
  void operator()(chexnet_trt_engine* engine) const { chexnet_trt_release(engine); }
};
using EnginePointer = std::unique_ptr<chexnet_trt_engine, Release>;

EnginePointer load_golden() {
  const std::string bytes = golden_bytes();
  chexnet_trt_engine* engine = nullptr;
  EXPECT_EQ(chexnet_trt_load_bytes(bytes.data(), bytes.size(), "golden", &engine), CHEXNET_TRT_OK);
  return EnginePointer(engine);
}

/// The golden engine computes 2 x + 1 of [batch, 3].
chexnet_trt_code run(chexnet_trt_engine* engine, std::int64_t batch, const std::vector<float>& x,
                     std::vector<float>* y) {
  y->assign(x.size(), 0);
  const void* inputs[] = {x.data()};
  void* outputs[] = {y->data()};
  return chexnet_trt_run(engine, batch, inputs, outputs);
}

TEST(CApiTest, TellsInputsAndOutputs) {
  const EnginePointer engine = load_golden();
  EXPECT_EQ(chexnet_trt_max_batch(engine.get()), 4);
  ASSERT_EQ(chexnet_trt_input_count(engine.get()), 1U);
  ASSERT_EQ(chexnet_trt_output_count(engine.get()), 1U);
  const chexnet_trt_tensor input = chexnet_trt_input(engine.get(), 0);
  EXPECT_STREQ(input.name, "x");
  EXPECT_EQ(input.element, CHEXNET_TRT_FLOAT32);
  EXPECT_THAT(std::vector<std::int64_t>(input.dims, input.dims + input.rank), ElementsAre(-1, 3));
  EXPECT_STREQ(chexnet_trt_output(engine.get(), 0).name, "y");
}

TEST(CApiTest, RunsEveryBatchInTheCallersMemory) {
  const EnginePointer engine = load_golden();
  std::vector<float> y;
  ASSERT_EQ(run(engine.get(), 1, {1, 2, 3}, &y), CHEXNET_TRT_OK);
  EXPECT_THAT(y, ElementsAre(3, 5, 7));
  ASSERT_EQ(run(engine.get(), 2, {0, 1, 2, 3, 4, 5}, &y), CHEXNET_TRT_OK);
  EXPECT_THAT(y, ElementsAre(1, 3, 5, 7, 9, 11));
}

TEST(CApiTest, SaysWhatIsWrongWithABatch) {
  const EnginePointer engine = load_golden();
  std::vector<float> y;
  EXPECT_EQ(run(engine.get(), 5, std::vector<float>(15), &y), CHEXNET_TRT_INPUT_ERROR);
  EXPECT_THAT(chexnet_trt_last_error(), HasSubstr("batch 5 is outside 1 ... 4"));
  const void* inputs[] = {nullptr};
  void* outputs[] = {nullptr};
  EXPECT_EQ(chexnet_trt_run(engine.get(), 1, inputs, outputs), CHEXNET_TRT_INPUT_ERROR);
  EXPECT_THAT(chexnet_trt_last_error(), HasSubstr("input 'x' is bound to no memory"));
}

TEST(CApiTest, SaysWhatIsWrongWithAFile) {
  chexnet_trt_engine* engine = nullptr;
  std::string bytes = golden_bytes();
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  EXPECT_EQ(chexnet_trt_load_bytes(bytes.data(), bytes.size(), "node7", &engine),
            CHEXNET_TRT_INPUT_ERROR);
  EXPECT_THAT(chexnet_trt_last_error(), HasSubstr("node7"));
  EXPECT_EQ(chexnet_trt_load_bytes(nullptr, 0, "node8", &engine), CHEXNET_TRT_INPUT_ERROR);
  EXPECT_THAT(chexnet_trt_last_error(), HasSubstr("node8"));
  EXPECT_EQ(chexnet_trt_load_file("/no/such.engine", &engine), CHEXNET_TRT_INPUT_ERROR);
  EXPECT_THAT(chexnet_trt_last_error(), HasSubstr("/no/such.engine"));
  EXPECT_EQ(engine, nullptr);
  chexnet_trt_release(engine);
}

TEST(CApiTest, AnErrorBelongsToItsThread) {
  chexnet_trt_engine* engine = nullptr;
  chexnet_trt_load_file("/no/such.engine", &engine);
  std::string other = "unset";
  std::thread([&] { other = chexnet_trt_last_error(); }).join();
  EXPECT_EQ(other, "");
}

std::vector<std::string>& warnings() {
  static std::vector<std::string> lines;
  return lines;
}

TEST(CApiTest, WarningsReachTheSink) {
  chexnet_trt_set_warning_sink([](const char* line) { warnings().emplace_back(line); });
  load_golden();  // compiled for a device that does not exist
  chexnet_trt_set_warning_sink(nullptr);
  ASSERT_THAT(warnings(), SizeIs(1));
  EXPECT_THAT(warnings()[0], HasSubstr("compiling it again from the graph"));
}

TEST(CApiTest, ThreadsShareAnEngine) {
  const EnginePointer engine = load_golden();
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int turn = 0; turn < 20; ++turn) {
        const std::int64_t batch = 1 + (thread + turn) % 4;
        const auto value = static_cast<float>(100 * thread + turn);
        const std::vector<float> x(static_cast<std::size_t>(3 * batch), value);
        std::vector<float> y;
        const bool ran = run(engine.get(), batch, x, &y) == CHEXNET_TRT_OK;
        if (ran && y == std::vector<float>(x.size(), 2 * value + 1)) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 160);
}

TEST(LoadedEngineTest, EqualBytesAreOneEngine) {
  const std::string bytes = golden_bytes();
  const ByteView view(bytes.data(), bytes.size());
  const auto first = LoadedEngine::from_bytes(view, "first");
  EXPECT_EQ(LoadedEngine::from_bytes(view, "second"), first);
  EXPECT_EQ(LoadedEngine::from_file(kGolden), first);
  const auto other = LoadedEngine::from_file(CHEXNET_TRT_TEST_DATA "/golden_v1_int8.engine");
  EXPECT_NE(other, first);
}

TEST(LoadedEngineTest, NobodyKeepsAnEngineThatIsReleased) {
  const std::weak_ptr<LoadedEngine> released = LoadedEngine::from_file(kGolden);
  EXPECT_TRUE(released.expired());
}

TEST(LoadedEngineTest, CopiesTheBytes) {
  std::string bytes = golden_bytes();
  const auto engine = LoadedEngine::from_bytes(ByteView(bytes.data(), bytes.size()), "golden");
  bytes.assign(bytes.size(), '\0');
  std::vector<float> x{1, 2, 3};
  std::vector<float> y(3);
  engine->run(1, {{x.data()}, {y.data()}});
  EXPECT_THAT(y, ElementsAre(3, 5, 7));
}

}  // namespace
}  // namespace chexnet_trt
