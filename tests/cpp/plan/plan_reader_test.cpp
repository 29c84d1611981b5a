#include "plan/plan_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "plan/plan_writer.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

using testing::HasSubstr;

class PlanReaderTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    write_plan(path("x.engine"),
               {plan_section("graph", ByteView(std::string_view("nodes"))),
                plan_section("weights", ByteView(weights_)), plan_section("later", ByteView())});
    std::ifstream file(path("x.engine"), std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }

  static std::string error(const std::string& bytes) {
    return message_of<InputError>([&] { PlanReader(ByteView(bytes), "x.engine", nullptr); });
  }
  static std::string table_error(const std::string& bytes) {
    return message_of<InputError>([&] { parse_section_table(ByteView(bytes), "x.engine"); });
  }
  std::string with(std::size_t offset, std::uint64_t value, std::size_t size) const {
    std::string changed = bytes_;
    for (std::size_t index = 0; index < size; ++index) {
      changed.at(offset + index) = static_cast<char>(value >> (8 * index));
    }
    return changed;
  }

  std::string weights_ = std::string(1000, 'w');
  std::string bytes_;
};

TEST_F(PlanReaderTest, ReadsWhatWasWritten) {
  const PlanReader plan = PlanReader::open(path("x.engine"));
  EXPECT_EQ(plan.section("graph").text(), "nodes");
  EXPECT_EQ(plan.section("weights").text(), weights_);
  EXPECT_EQ(plan.section("later").size, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(plan.section("weights").data) % kPlanAlignment, 0U);
  EXPECT_FALSE(plan.find("blob"));
  EXPECT_THAT(message_of<InputError>([&] { plan.section("blob"); }),
              HasSubstr("no section 'blob'"));
}

TEST_F(PlanReaderTest, ReadsAFileWithoutSections) {
  write_plan(path("none.engine"), {});
  EXPECT_TRUE(PlanReader::open(path("none.engine")).entries().empty());
}

TEST_F(PlanReaderTest, TellsKindsOfFilesApart) {
  EXPECT_THAT(error(""), HasSubstr("is empty"));
  EXPECT_THAT(error(std::string("ftrt\0\0\0\0rest", 12)), HasSubstr("TensorRT plan"));
  EXPECT_THAT(error("vtrt12345678"), HasSubstr("TensorRT-RTX plan"));
  EXPECT_THAT(error("\x08\x01\x10\x01"), HasSubstr("UFF"));
  EXPECT_THAT(error("\x08\x08\x12\x07pytorch"), HasSubstr("ONNX"));
  EXPECT_THAT(error("\x0a\x20nodes"), HasSubstr("TensorFlow graph"));
  EXPECT_THAT(error("version https://git-lfs.github.com/spec/v1"), HasSubstr("Git LFS pointer"));
  EXPECT_THAT(error("random bytes"), HasSubstr("no known kind"));
}

TEST_F(PlanReaderTest, RefusesANewerFormat) {
  EXPECT_THAT(error(with(8, 2, 4)), HasSubstr("has format 2, this build reads up to 1; upgrade"));
  EXPECT_THAT(error(with(8, 0, 4)), HasSubstr("damaged header"));
}

TEST_F(PlanReaderTest, RefusesTruncationAtEveryByte) {
  for (std::size_t size = 1; size < bytes_.size(); ++size) {
    EXPECT_THAT(error(bytes_.substr(0, size)), HasSubstr("is truncated: it has")) << size;
  }
  EXPECT_THAT(error(bytes_.substr(0, 700)),
              HasSubstr("has 700 of " + std::to_string(bytes_.size()) + " bytes"));
  EXPECT_THAT(error(bytes_ + "x"), HasSubstr("where its header says"));
}

TEST_F(PlanReaderTest, DetectsEveryFlippedByte) {
  for (std::size_t at = 0; at < bytes_.size(); ++at) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    EXPECT_NE(error(changed), "") << at;
  }
  EXPECT_THAT(error(with(bytes_.size() - 100, 0, 1)), HasSubstr("damaged in section 'weights'"));
  EXPECT_THAT(error(with(50, 1, 1)), HasSubstr("damaged header (its checksum differs)"));
}

TEST_F(PlanReaderTest, ChecksTheTableBehindTheChecksum) {
  const std::size_t first = kPlanHeaderSize;
  const std::size_t second = first + kPlanEntrySize;
  EXPECT_EQ(table_error(bytes_), "");
  EXPECT_THAT(table_error(with(24, 5000, 4)), HasSubstr("impossible sizes"));
  EXPECT_THAT(table_error(with(24, 4000, 4)), HasSubstr("larger than the file"));
  EXPECT_THAT(table_error(with(24, 1, 4)), HasSubstr("damaged"));
  EXPECT_THAT(table_error(with(first, 0, 1)), HasSubstr("no valid name"));
  EXPECT_THAT(table_error(with(first + 39, 'x', 1)), HasSubstr("no valid name"));
  EXPECT_THAT(table_error(with(first + 40, 3, 8)), HasSubstr("not aligned"));
  EXPECT_THAT(table_error(with(first + 40, 0, 8)), HasSubstr("overlaps"));
  EXPECT_THAT(table_error(with(second + 40, ~63ULL, 8)), HasSubstr("outside the file"));
  EXPECT_THAT(table_error(with(second + 48, ~0ULL, 8)), HasSubstr("outside the file"));
  EXPECT_THAT(table_error(with(second + 48, 900, 8)), HasSubstr("damaged"));
  std::string twice = bytes_;
  twice.replace(second, kPlanNameSize, bytes_, first, kPlanNameSize);
  EXPECT_THAT(table_error(twice), HasSubstr("two sections are called 'graph'"));
}

}  // namespace
}  // namespace chexnet_trt
