#include "backends/timing_cache_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "common/error.hpp"
#include "common/log.hpp"
#include "engine/fake_backend.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

using testing::HasSubstr;

FakeBackend& timing(FakeBackend& backend, const std::string& fingerprint) {
  backend.behaviour.fingerprint = fingerprint;
  backend.behaviour.times_kernels = true;
  return backend;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

class TimingCacheFile : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    set_log_sink([this](Severity, const std::string& message) { logged_ += message; });
  }
  void TearDown() override {
    set_log_sink(nullptr);
    FolderTest::TearDown();
  }

  std::string logged_;
};

TEST_F(TimingCacheFile, IsReadAsItWasWritten) {
  FakeBackend first;
  timing(first, "gpu 1; driver 2").timings()->put("conv 3x3; 64", {"mma_64x64", 0.125});
  first.timings()->put("conv 1x1", {"wgmma_64x32x4", 0.5});
  save_timings(path("cache"), first);
  FakeBackend again;
  load_timings(path("cache"), timing(again, "gpu 1; driver 2"));
  ASSERT_EQ(again.timings()->times().size(), 2U);
  EXPECT_EQ(again.timings()->find("conv 3x3; 64")->kernel, "mma_64x64");
  EXPECT_EQ(again.timings()->find("conv 3x3; 64")->milliseconds, 0.125);
  EXPECT_EQ(file_count(), 1);
  EXPECT_EQ(logged_, "");
}

TEST_F(TimingCacheFile, KeepsTheTimesOfOtherDevices) {
  FakeBackend one;
  FakeBackend two;
  timing(one, "one").timings()->put("conv", {"a", 1});
  timing(two, "two").timings()->put("conv", {"b", 2});
  save_timings(path("cache"), one);
  load_timings(path("cache"), two);
  EXPECT_EQ(two.timings()->find("conv")->kernel, "b");
  save_timings(path("cache"), two);
  FakeBackend again;
  load_timings(path("cache"), timing(again, "one"));
  EXPECT_EQ(again.timings()->find("conv")->kernel, "a");
}

TEST_F(TimingCacheFile, MayBeMissingOrEmpty) {
  FakeBackend backend;
  load_timings(path("none"), timing(backend, "one"));
  write(path("empty"), "");
  load_timings(path("empty"), backend);
  EXPECT_TRUE(backend.timings()->times().empty());
  EXPECT_EQ(logged_, "");
}

TEST_F(TimingCacheFile, IsIgnoredWithAWarningWhereverItIsDamaged) {
  FakeBackend first;
  timing(first, "one").timings()->put("conv", {"a", 1});
  save_timings(path("cache"), first);
  const std::string whole = content_of(path("cache"));
  const std::size_t header = whole.find('\n') + 1;
  for (std::size_t at = header; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    for (const std::string& bad : {flipped, whole.substr(0, at)}) {
      logged_.clear();
      write(path("cache"), bad);
      FakeBackend again;
      load_timings(path("cache"), timing(again, "one"));
      EXPECT_THAT(logged_, HasSubstr("is damaged")) << at;
      EXPECT_TRUE(again.timings()->times().empty());
    }
  }
  save_timings(path("cache"), first);
  EXPECT_EQ(content_of(path("cache")), whole);
}

TEST_F(TimingCacheFile, IsNotWrittenOverAnotherFile) {
  const std::string other = "the only copy of something\n";
  write(path("cache"), other);
  FakeBackend backend;
  timing(backend, "one");
  for (const auto& use : {load_timings, save_timings}) {
    EXPECT_THAT(message_of<InputError>([&] { use(path("cache"), backend); }),
                HasSubstr("is no timing cache of this version: name another file"));
  }
  EXPECT_EQ(content_of(path("cache")), other);
}

TEST_F(TimingCacheFile, IsForBackendsThatTimeKernels) {
  FakeBackend backend;
  EXPECT_THAT(message_of<InputError>([&] { load_timings(path("cache"), backend); }),
              HasSubstr("the backend 'fake' times no kernels here"));
}

}  // namespace
}  // namespace chexnet_trt
