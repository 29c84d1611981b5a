#include "calibration/calibration_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <random>
#include <string>

#include "common/error.hpp"
#include "test_folder.hpp"

namespace chexnet_trt {
namespace {

using testing::HasSubstr;

Provenance some_provenance() {
  return {std::string(64, 'a'),
          std::string(64, 'b'),
          500,
          std::string(64, 'c'),
          "percentile 99.99",
          1,
          16384};
}

CalibrationTable some_table() {
  return {table_header(CalibrationAlgorithm::kEntropy),
          {{"conv1/Relu", storable_amax(6.25)},
           {"input_tensor:0", storable_amax(151.061)},
           {"(Unnamed Layer* 4) [Fully Connected]_output", storable_amax(0.001)},
           {"odd: name", 127.0}},
          some_provenance()};
}

std::string parse_error(const std::string& text) {
  return message_of<InputError>([&] { table_from_text(text); });
}

TEST(CalibrationCacheTest, ReadsATableOfTensorRt) {
  // The start of a published one: scales of LeNet on MNIST.
  const CalibrationTable table = table_from_text(
      "TRT-7202-EntropyCalibration2\n"
      "data: 3c008912\n"
      "(Unnamed Layer* 4) [Fully Connected]_output: 3d65992f\n"
      "prob: 3c083ffd\n");
  EXPECT_EQ(table.header, "TRT-7202-EntropyCalibration2");
  EXPECT_FALSE(table.provenance);
  ASSERT_EQ(table.ranges.size(), 3U);
  EXPECT_NEAR(table.ranges.at("data"), 127 * 0.00784518, 1e-6);
  EXPECT_NEAR(table.ranges.at("(Unnamed Layer* 4) [Fully Connected]_output"), 127 * 0.0560543,
              1e-5);
}

TEST(CalibrationCacheTest, WritesBigEndianFloatsUnderAHeader) {
  const CalibrationTable table{table_header(CalibrationAlgorithm::kMinMax), {{"x", 127.0}}, {}};
  EXPECT_EQ(to_text(table), "TRT-8601-MinMaxCalibration\nx: 3f800000\n");
  EXPECT_EQ(table_header(CalibrationAlgorithm::kEntropy, 100300), "TRT-100300-EntropyCalibration2");
}

TEST(CalibrationCacheTest, ComesBackAsItWas) {
  const std::string text = to_text(some_table());
  const CalibrationTable table = table_from_text(text);
  EXPECT_EQ(table.header, some_table().header);
  EXPECT_EQ(table.ranges, some_table().ranges);
  ASSERT_TRUE(table.provenance);
  EXPECT_EQ(mismatch(some_provenance(), *table.provenance), "");
  EXPECT_EQ(to_text(table), text);
}

TEST(CalibrationCacheTest, ProvenanceLooksLikeEntriesOfNoScale) {
  EXPECT_THAT(to_text(some_table()), HasSubstr("\n#image_count=500: 00000000\n"));
  EXPECT_THAT(to_text(some_table()), HasSubstr("\n#algorithm=percentile 99.99: 00000000\n"));
  EXPECT_THAT(to_text(some_table()), HasSubstr("\n#calibrator_version=1: 00000000\n"));
  EXPECT_THAT(to_text(some_table()), HasSubstr("\n#sample_limit=16384: 00000000\n"));
}

TEST(CalibrationCacheTest, TakesShortZerosBlankLinesAndDosLineEnds) {
  const CalibrationTable table =
      table_from_text("TRT-8601-EntropyCalibration2\r\n\r\nx: 3f800000\r\ny: 00800000\r\nz: 0\r\n");
  EXPECT_EQ(table.header, "TRT-8601-EntropyCalibration2");
  EXPECT_EQ(table.ranges.size(), 2U);
  EXPECT_EQ(table.ranges.at("x"), 127.0);
}

TEST(CalibrationCacheTest, AnEntryOfZeroIsNoRange) {
  const CalibrationTable table = table_from_text("TRT-1-A\nx: 00000000\ny: 3f800000\n");
  EXPECT_EQ(table.ranges.count("x"), 0U);
  EXPECT_FALSE(table.provenance);
}

TEST(CalibrationCacheTest, RefusesBadText) {
  const std::string head = "TRT-8601-EntropyCalibration2\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "empty"},
      {"\n\n", "empty"},
      {head, "no scale"},
      {"x: 3f800000\n", "line 1: no header"},
      {"TRT-\x01\n", "line 1: no header"},
      {head + "x 3f800000\n", "line 2: no 'name: scale'"},
      {head + ": 3f800000\n", "line 2: no 'name: scale'"},
      {head + "x: \n", "line 2: the scale is not"},
      {head + "x: 3f80000g\n", "line 2: the scale is not"},
      {head + "x: 0x3f8000\n", "line 2: the scale is not"},
      {head + "x: -3f80000\n", "line 2: the scale is not"},
      {head + "x: 03f800000\n", "line 2: the scale is not"},
      {head + "x: 3f80000", "line 2: the scale is not"},
      {head + "x: 3f800000 \n", "line 2: the scale is not"},
      {head + "x: 1.0\n", "line 2: the scale is not"},
      {head + "y: 3f800000\nx: bf800000\n", "line 3: the scale is negative"},
      {head + "x: 80000000\n", "line 2: the scale is negative"},
      {head + "x: 7f800000\n", "line 2: the scale is negative, not finite"},
      {head + "x: 7fc00000\n", "line 2: the scale is negative, not finite"},
      {head + "x: 00000001\n", "line 2: the scale is negative, not finite or out of range"},
      {head + "x: 7f7fffff\n", "line 2: the scale is negative, not finite or out of range"},
      {head + "x: 3f800000\ny: 3f800000\nx: 3f800000\n", "line 4: the value"},
      {head + "\xff: 3f800000\n", "not UTF-8"},
      {head + "#image_count=5: 00000000\nx: 3f800000\n", "lacks #network_sha256"},
      {head + "#a=5: 0\n#a=6: 0\nx: 3f800000\n", "line 3: the provenance has this field"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(parse_error(text), HasSubstr(expected)) << text;
  }
}

TEST(CalibrationCacheTest, RefusesABadProvenance) {
  const std::string good = to_text(some_table());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return parse_error(text);
  };
  EXPECT_THAT(with("=" + std::string(64, 'a'), "=123"),
              HasSubstr("network_sha256 is not a sha256"));
  EXPECT_THAT(with("=500", "=-5"), HasSubstr("image_count is not"));
  EXPECT_THAT(with("=500", "=5x"), HasSubstr("image_count is not"));
  EXPECT_THAT(with("=percentile 99.99", "="), HasSubstr("algorithm is not"));
  EXPECT_THAT(with("#algorithm=", "#algorythm="), HasSubstr("lacks #algorithm"));
  EXPECT_THAT(with("version=1", "version=0"), HasSubstr("calibrator_version is not a positive"));
  EXPECT_THAT(with("=16384", "=-1"), HasSubstr("sample_limit is not a number"));
  EXPECT_THAT(with("=16384", "=many"), HasSubstr("sample_limit is not a number"));
  EXPECT_THAT(with("#sample_limit=16384: 00000000\n", ""),
              HasSubstr("lacks #sample_limit; calibrate again"));
  EXPECT_THAT(with("#algorithm=", "#colour=red: 0\n#algorithm="), HasSubstr("does not know"));
}

TEST(CalibrationCacheTest, NamesTheFieldThatDiffers) {
  Provenance other = some_provenance();
  EXPECT_EQ(mismatch(some_provenance(), other), "");
  other.sample_limit = 0;
  EXPECT_EQ(mismatch(some_provenance(), other), "sample_limit is 0 in the table and 16384 here");
  other.calibrator_version = 2;
  EXPECT_EQ(mismatch(some_provenance(), other), "calibrator_version is 2 in the table and 1 here");
  other.algorithm = "entropy";
  EXPECT_EQ(mismatch(some_provenance(), other),
            "algorithm is entropy in the table and percentile 99.99 here");
  other.image_count = 100;
  EXPECT_EQ(mismatch(some_provenance(), other), "image_count is 100 in the table and 500 here");
  other.network_sha256 = std::string(64, 'd');
  EXPECT_THAT(mismatch(some_provenance(), other), HasSubstr("network_sha256 is ddd"));
}

TEST(CalibrationCacheTest, RefusesToWriteWhatItCouldNotRead) {
  const auto write_error = [](const std::function<void(CalibrationTable&)>& change) {
    CalibrationTable table = some_table();
    change(table);
    return message_of<InputError>([&] { to_text(table); });
  };
  EXPECT_THAT(write_error([](auto& table) { table.header = "entropy"; }), HasSubstr("header"));
  EXPECT_THAT(write_error([](auto& table) { table.header = "TRT-1\nx"; }), HasSubstr("header"));
  EXPECT_THAT(write_error([](auto& table) { table.ranges["a\nb"] = 1; }), HasSubstr("name"));
  EXPECT_THAT(write_error([](auto& table) { table.ranges[""] = 1; }), HasSubstr("name"));
  EXPECT_THAT(write_error([](auto& table) { table.ranges["\xff"] = 1; }), HasSubstr("name"));
  for (const double bad : {0.0, -1.0, 1e300, 1e-40, std::nan("")}) {
    EXPECT_THAT(write_error([&](auto& table) { table.ranges["x"] = bad; }),
                HasSubstr("dynamic range of 'x'"));
  }
  EXPECT_THAT(write_error([](auto& table) { table.provenance->images_sha256 = "12"; }),
              HasSubstr("images_sha256"));
  EXPECT_THAT(write_error([](auto& table) { table.provenance->algorithm = "a: b"; }),
              HasSubstr("algorithm"));
}

TEST(CalibrationCacheTest, MutatedTablesAreReadOrRefused) {
  const std::string good = to_text(some_table());
  std::mt19937 engine(12);
  const std::string alphabet = "0f:# =\n\r-TRxa\xc3";
  int readable = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (auto edits = 1 + (engine() % 3); edits != 0; --edits) {
      const std::size_t at = engine() % text.size();
      const char byte = alphabet[engine() % alphabet.size()];
      if (engine() % 3 == 0)
        text.resize(at + 1);
      else if (engine() % 2 == 0)
        text.insert(at, 1, byte);
      else
        text[at] = byte;
    }
    try {
      const CalibrationTable table = table_from_text(text);
      EXPECT_EQ(table_from_text(to_text(table)).ranges, table.ranges) << text;
      ++readable;
    } catch (const InputError&) {
      continue;
    }
  }
  EXPECT_GT(readable, 0);
}

class CalibrationTableFileTest : public FolderTest {};

TEST_F(CalibrationTableFileTest, IsWrittenAndRead) {
  write_calibration_table(path("net.cache"), some_table());
  EXPECT_EQ(to_text(read_calibration_table(path("net.cache"))), to_text(some_table()));
  EXPECT_EQ(file_count(), 1);
}

TEST_F(CalibrationTableFileTest, ErrorsNameTheFile) {
  const auto read_error = [&] {
    return message_of<InputError>([&] { read_calibration_table(path("net.cache")); });
  };
  EXPECT_THAT(read_error(), HasSubstr(path("net.cache")));
  std::ofstream(path("net.cache")) << "{\"x\": 3}\n";
  EXPECT_THAT(read_error(), HasSubstr("'" + path("net.cache") + "': line 1: no header"));
  std::filesystem::resize_file(path("net.cache"), (64U << 20U) + 1);
  EXPECT_THAT(read_error(), HasSubstr("larger than 64 MiB"));
}

TEST_F(CalibrationTableFileTest, ABadTableLeavesTheOldFile) {
  write_calibration_table(path("net.cache"), some_table());
  CalibrationTable bad = some_table();
  bad.ranges["x"] = -1;
  EXPECT_THROW(write_calibration_table(path("net.cache"), bad), InputError);
  EXPECT_EQ(to_text(read_calibration_table(path("net.cache"))), to_text(some_table()));
}

}  // namespace
}  // namespace chexnet_trt
