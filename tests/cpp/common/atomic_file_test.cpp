#include "common/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/error.hpp"
#include "common/mapped_file.hpp"

namespace chexnet_trt {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("atomic_file_") + info->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::size_t file_count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  std::string path() const { return (folder_ / "file").string(); }

  fs::path folder_;
};

TEST_F(AtomicFileTest, AppearsOnCommit) {
  AtomicFile file(path());
  file.write(ByteView(std::string_view("content")));
  EXPECT_FALSE(fs::exists(path()));
  file.commit();
  EXPECT_EQ(MappedFile::open(path())->bytes().text(), "content");
  EXPECT_EQ(file_count(), 1U);
}

TEST_F(AtomicFileTest, LeavesNothingWithoutCommit) {
  { AtomicFile(path()).write(ByteView(std::string_view("half"))); }
  EXPECT_EQ(file_count(), 0U);
}

TEST_F(AtomicFileTest, KeepsTheOldFileWithoutCommit) {
  std::ofstream(path()) << "old";
  { AtomicFile(path()).write(ByteView(std::string_view("new"))); }
  EXPECT_EQ(MappedFile::open(path())->bytes().text(), "old");
}

TEST_F(AtomicFileTest, NamesTheMissingFolder) {
  try {
    AtomicFile file((folder_ / "none" / "file").string());
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("No such file or directory"), std::string::npos);
  }
}

TEST_F(AtomicFileTest, RefusesTheNameOfAFolder) {
  EXPECT_THROW(AtomicFile(folder_.string()), InputError);
  EXPECT_EQ(file_count(), 0U);
}

TEST_F(AtomicFileTest, RefusesTheNameOfADeviceOrAPipe) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_THROW(AtomicFile{path()}, InputError);
  EXPECT_TRUE(fs::is_fifo(path()));
  EXPECT_EQ(file_count(), 1U);
}

TEST_F(AtomicFileTest, WritesAllFilesOrNone) {
  const ByteView content(std::string_view("content"));
  const std::string second = (folder_ / "second").string();
  fs::create_directory(second);
  EXPECT_THROW(write_files({{path(), content}, {second, content}}), InputError);
  EXPECT_EQ(file_count(), 1U);
  fs::remove(second);
  write_files({{path(), content}, {second, ByteView()}});
  EXPECT_EQ(MappedFile::open(path())->bytes().text(), "content");
  EXPECT_EQ(fs::file_size(second), 0U);
  EXPECT_EQ(file_count(), 2U);
}

TEST(MappedFile, EmptyFileHasNoBytes) {
  const std::string path = testing::TempDir() + "mapped_file_empty";
  std::ofstream(path).close();
  EXPECT_EQ(MappedFile::open(path)->bytes().size, 0U);
  fs::remove(path);
}

TEST(MappedFile, RefusesMissingFilesAndFolders) {
  EXPECT_THROW(MappedFile::open("/nonexistent/file"), InputError);
  EXPECT_THROW(MappedFile::open("/tmp"), InputError);
}

}  // namespace
}  // namespace chexnet_trt
