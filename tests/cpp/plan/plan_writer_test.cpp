#include "plan/plan_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "common/error.hpp"
#include "plan/plan_reader.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

class PlanWriterTest : public FolderTest {};

/// Lets this process write no file beyond `bytes`: write(2) then fails as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  using Handler = void (*)(int);
  Handler handler_;
  rlimit before_{};
};

TEST_F(PlanWriterTest, StreamsASectionInPieces) {
  const PlanSection pieces{"pieces", [](const ByteSink& sink) {
                             for (int count = 0; count < 100; ++count) {
                               sink(ByteView(std::string_view("piece")));
                             }
                           }};
  write_plan(path("x.engine"), {pieces});
  EXPECT_EQ(PlanReader::open(path("x.engine")).section("pieces").size, 500U);
}

TEST_F(PlanWriterTest, LeavesNothingOnAFullDisk) {
  const std::string large(1 << 16, 'x');
  std::string message;
  {
    const FileSizeLimit limit(4096);
    message = message_of<InputError>(
        [&] { write_plan(path("x.engine"), {plan_section("large", ByteView(large))}); });
  }
  EXPECT_THAT(message, testing::HasSubstr("nothing was written"));
  EXPECT_EQ(file_count(), 0);
}

TEST_F(PlanWriterTest, KeepsTheOldFileWhenAStreamFails) {
  std::ofstream(path("x.engine")) << "old";
  int calls = 0;
  const PlanSection failing{"failing", [&](const ByteSink& sink) {
                              sink(ByteView(std::string_view("half")));
                              if (++calls == 2) throw BackendError("lost");
                            }};
  EXPECT_THROW(write_plan(path("x.engine"), {failing}), BackendError);
  EXPECT_EQ(std::filesystem::file_size(path("x.engine")), 3U);
  EXPECT_EQ(file_count(), 1);
}

TEST_F(PlanWriterTest, RefusesNamesThatTheTableCannotHold) {
  for (const std::string& name : {std::string(), std::string(40, 'n'), std::string("a b")}) {
    EXPECT_THROW(write_plan(path("x.engine"), {plan_section(name, {})}), Error) << name;
  }
  EXPECT_THROW(write_plan(path("x.engine"), {plan_section("a", {}), plan_section("a", {})}), Error);
  EXPECT_EQ(file_count(), 0);
}

}  // namespace
}  // namespace chexnet_trt
