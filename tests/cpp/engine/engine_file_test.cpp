#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/error.hpp"
#include "common/log.hpp"
#include "engine/context_helpers.hpp"
#include "engine/conv_graph.hpp"
#include "engine/external_engine.hpp"
#include "graph/text.hpp"
#include "passes/quantize.hpp"
#include "plan/plan_reader.hpp"
#include "plan/plan_writer.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class EngineFileTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    set_log_sink([this](Severity severity, const std::string& message) {
      if (severity == Severity::kWarning) warnings_.push_back(message);
    });
    const auto engine = build_tiny(builder_);
    engine->set_manifest("{\"labels\": [\"Hernia\"]}");
    engine->save(file());
  }
  void TearDown() override {
    set_log_sink(nullptr);
    FolderTest::TearDown();
  }

  std::string file() const { return path("x.engine"); }
  std::string bytes() const {
    std::ifstream stream(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void overwrite(const std::string& content) const {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << content;
  }
  std::string load_error(const LoadOptions& options = {}) {
    return message_of<InputError>([&] { Engine::load(file(), options, backend_); });
  }
  static void expect_runs(const std::shared_ptr<Engine>& engine, std::int64_t batch) {
    TinyCall call(batch, 7);
    engine->create_context()->execute(batch, call.bindings());
    EXPECT_EQ(call.y, call.expected());
  }

  FakeBackend builder_;
  FakeBackend backend_;
  std::vector<std::string> warnings_;
};

TEST_F(EngineFileTest, LoadsWhatWasSaved) {
  const auto engine = Engine::load(file(), {}, backend_);
  EXPECT_EQ(engine->max_batch(), 4);
  EXPECT_EQ(engine->manifest(), "{\"labels\": [\"Hernia\"]}");
  EXPECT_EQ(engine->graph().hash(), tiny_graph().hash());
  ASSERT_EQ(engine->inputs().size(), 1U);
  EXPECT_EQ(engine->inputs()[0].name, "x");
  EXPECT_EQ(engine->outputs()[0].shape, (Shape{kBatch, 3}));
  expect_runs(engine, 4);
  EXPECT_EQ(backend_.behaviour.deserialized, 1);
  EXPECT_EQ(backend_.behaviour.compiled, 0);
  expect_runs(engine, 2);
  EXPECT_EQ(backend_.behaviour.compiled, 1);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(EngineFileTest, RebuildsForAnotherDeviceWithAWarning) {
  backend_.behaviour.fingerprint = "fake 2";
  const auto engine = Engine::load(file(), {}, backend_);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], HasSubstr("fake 1"));
  EXPECT_THAT(warnings_[0], HasSubstr("fake 2"));
  expect_runs(engine, 4);
  EXPECT_EQ(backend_.behaviour.deserialized, 0);

  engine->save(file());
  warnings_.clear();
  expect_runs(Engine::load(file(), {}, backend_), 4);
  EXPECT_EQ(backend_.behaviour.deserialized, 1);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(EngineFileTest, SaysThatItDoesNotRunWhereNothingDoes) {
  backend_.behaviour.fingerprint = "no fake";
  backend_.behaviour.cannot_run = "the fake has no device";
  const auto engine = Engine::load(file(), {}, backend_);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], HasSubstr("; it does not run here: the fake has no device"));
  EXPECT_EQ(engine->layers(4).size(), 1U);
  EXPECT_EQ(message_of<BackendError>([&] { engine->create_context(); }), "the fake has no device");
}

TEST_F(EngineFileTest, RefusesAnotherDeviceWhenTheExactOneIsRequired) {
  LoadOptions exact;
  exact.require_exact_device = true;
  EXPECT_EQ(load_error(exact), "");
  backend_.behaviour.fingerprint = "fake 2";
  EXPECT_THAT(load_error(exact), HasSubstr("was compiled for device fake 1"));
}

TEST_F(EngineFileTest, RebuildsWhenTheBlobIsRefused) {
  backend_.behaviour.refuse_blobs = true;
  expect_runs(Engine::load(file(), {}, backend_), 4);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], HasSubstr("not a blob of mine"));
  LoadOptions exact;
  exact.require_exact_device = true;
  const auto engine = Engine::load(file(), exact, backend_);
  EXPECT_THROW(engine->executable(4), InputError);
}

TEST_F(EngineFileTest, BlobsAreUsedOnlyWithTheOptionsTheyWereCompiledFor) {
  LoadOptions options;
  options.threads = 1;
  options.streams = 2;
  options.profiling = true;
  const auto engine = Engine::load(file(), options, backend_);
  expect_runs(engine, 4);
  EXPECT_EQ(backend_.behaviour.deserialized, 0);
  EXPECT_EQ(engine->config().streams, 2);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(EngineFileTest, NeverFallsBackToAnotherPrecision) {
  builder_.behaviour.precisions = {Precision::kFloat32, Precision::kBFloat16};
  BuildOptions options;
  options.precisions = {Precision::kBFloat16};
  options.obey = true;
  build(tiny_graph(), options, builder_).engine->save(file());
  EXPECT_THAT(load_error(), HasSubstr("runs in bf16, for which this device"));
}

TEST_F(EngineFileTest, DetectsAFlippedByteInEverySection) {
  const std::string good = bytes();
  std::vector<std::string> names;
  const std::vector<PlanEntry> entries = PlanReader::open(file()).entries();
  for (const PlanEntry& entry : entries) {
    names.push_back(entry.name);
    std::string changed = good;
    changed[entry.offset + entry.size / 2] ^= 0x10;
    overwrite(changed);
    EXPECT_THAT(load_error(), HasSubstr("damaged in section '" + entry.name + "'"));
  }
  EXPECT_THAT(names, ElementsAre("config", "manifest", "graph", "weights", "blob/fake/4"));
}

TEST_F(EngineFileTest, DetectsTruncationAtEveryPercent) {
  const std::string good = bytes();
  for (std::size_t percent = 1; percent < 100; ++percent) {
    overwrite(good.substr(0, good.size() * percent / 100));
    EXPECT_THAT(load_error(), HasSubstr("is truncated")) << percent;
  }
  overwrite("");
  EXPECT_THAT(load_error(), HasSubstr("is empty"));
}

TEST_F(EngineFileTest, ChecksWhatIsInTheSections) {
  const auto write = [&](const std::string& config, const std::string& graph,
                         const std::string& blob) {
    write_plan(file(), {plan_section("config", ByteView(config)), plan_section("manifest", {}),
                        plan_section("graph", ByteView(graph)), plan_section("weights", {}),
                        plan_section(blob, {})});
  };
  EngineConfig config;
  config.backend = "fake";
  config.max_batch = 2;
  write("backend=fake\n", "", "later");
  EXPECT_THAT(load_error(), HasSubstr("lacks 'precision'"));
  write("nonsense", "", "later");
  EXPECT_THAT(load_error(), HasSubstr("without '='"));
  write(to_text(config), "\"x\" = nonsense()", "later");
  EXPECT_THAT(load_error(), HasSubstr("x.engine': graph text, line 1: unknown op"));
  write(to_text(config), to_text(tiny_graph()), "later");
  EXPECT_THAT(load_error(), HasSubstr("outside the weights"));
  config.backend = "other";
  write(to_text(config), "", "later");
  EXPECT_THAT(load_error(), HasSubstr("for the backend 'other'"));

  Graph identity;
  identity.add_output("y", identity.add_input("x", {ElementType::kFloat32, {kBatch, 3}}));
  config.backend = "fake";
  for (const char* blob : {"blob/fake/3", "blob/fake/0", "blob/fake/1x", "blob/fake/"}) {
    write(to_text(config), to_text(identity), blob);
    EXPECT_THAT(load_error(), HasSubstr("no batch size of its own")) << blob;
  }
  write(to_text(config), to_text(identity), "blob/other/9");
  EXPECT_EQ(load_error(), "");
}

// The first format stays readable for ever. Made by make_golden_engine.cpp at format 1.
TEST(GoldenEngine, Format1StaysReadable) {
  FakeBackend backend;
  backend.behaviour.name = "openvino";
  const auto engine = Engine::load(CHEXNET_TRT_TEST_DATA "/golden_v1.engine", {}, backend);
  EXPECT_EQ(engine->max_batch(), 4);
  EXPECT_EQ(engine->precision(), Precision::kFloat32);
  EXPECT_EQ(engine->manifest(), "{\"golden\": 1}");
  EXPECT_EQ(engine->graph().hash(), tiny_graph().hash());
  TinyCall call(3, 1);
  engine->create_context()->execute(3, call.bindings());
  EXPECT_EQ(call.y, call.expected());
}

TEST(GoldenEngine, Format1WithInt8StaysReadable) {
  FakeBackend backend;
  backend.behaviour.name = "openvino";
  backend.behaviour.precisions = {Precision::kInt8};
  const auto engine = Engine::load(CHEXNET_TRT_TEST_DATA "/golden_v1_int8.engine", {}, backend);
  EXPECT_EQ(engine->precision(), Precision::kInt8);
  const Graph quantized = quantize(conv_graph(), {{"x", 1.0}, {"relu", 2.0}});
  EXPECT_EQ(engine->graph().hash(), quantized.hash());
}

TEST_F(EngineFileTest, KeepsThePlanOfAnotherRuntime) {
  const std::string plan = "any bytes";
  ExternalEngine engine{tiny_graph(), {}, R"({"a": 1})", ByteView(plan), nullptr};
  engine.config.backend = "other";
  engine.config.max_batch = 7;
  engine.save(file());
  const auto any = load_engine_file(file(), {});
  ASSERT_TRUE(std::holds_alternative<ExternalEngine>(any));
  const auto& loaded = std::get<ExternalEngine>(any);
  EXPECT_EQ(loaded.plan.text(), plan);
  EXPECT_EQ(loaded.manifest, engine.manifest);
  EXPECT_EQ(loaded.config.max_batch, 7);
  EXPECT_EQ(loaded.graph.hash(), tiny_graph().hash());
  EXPECT_THAT(load_error(), HasSubstr("is for the backend 'other'"));
}

TEST_F(EngineFileTest, WithoutAPlanItIsForABackendOfThisLibrary) {
  EXPECT_THAT(message_of<InputError>([&] { load_engine_file(file(), {}); }),
              HasSubstr("unknown backend 'fake'"));
}

}  // namespace
}  // namespace chexnet_trt
