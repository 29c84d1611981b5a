#include "uff/writer.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>

#include "common/error.hpp"
#include "common/mapped_file.hpp"
#include "uff/reader.hpp"
#include "uff/real_files.hpp"
#include "uff/wire_bytes.hpp"

namespace chexnet_trt::uff {
namespace {

using namespace std::string_literals;

std::string encode(const MetaGraph& meta) {
  std::string bytes;
  write(meta, [&](ByteView piece) { bytes.append(piece.text()); });
  EXPECT_EQ(bytes.size(), encoded_size(meta));
  return bytes;
}

MetaGraph head() {
  MetaGraph meta;
  meta.version = 1;
  meta.descriptor_core_version = 1;
  meta.descriptors.push_back({"tensorflow_extension", 1, false});
  meta.graphs.emplace_back().id = "main";
  return meta;
}

/// The bytes of one Data message, found as the value of a field.
std::string data_bytes(Data data) {
  MetaGraph meta;
  meta.graphs.emplace_back().nodes.emplace_back().fields.emplace_back("f", std::move(data));
  const std::string bytes = encode(meta);
  // graph, node, entry, key "f", value: five headers of two bytes and the letter.
  return bytes.substr(11);
}

TEST(Writer, WritesTheHeadOfARealFile) {
  EXPECT_EQ(encode(head()), "\x08\x01\x10\x01\x1a\x18\x0a\x14"s + "tensorflow_extension" +
                                "\x10\x01\x22\x06\x0a\x04main"s);
}

TEST(Writer, WritesZeroMembersOfTheOneof) {
  EXPECT_EQ(data_bytes(std::int64_t{0}), "\x38\x00"s);
  EXPECT_EQ(data_bytes(false), "\x28\x00"s);
  EXPECT_EQ(data_bytes(0.0), "\x19\0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(data_bytes(std::string_view("")), "\x0a\x00"s);
  EXPECT_EQ(data_bytes(std::monostate()), "");
}

TEST(Writer, WritesTheTagsOfRealFiles) {
  EXPECT_EQ(data_bytes(DataType::kFloat32), "\xa8\x06\xa0\x80\x08"s);
  EXPECT_EQ(data_bytes(Reference{"k"}), "\xa2\x06\x01k"s);
  EXPECT_EQ(data_bytes(Blob{ByteView(std::string_view("ab"))}), "\x4a\x02"s + "ab");
  EXPECT_EQ(data_bytes(std::vector<DimensionOrders>{{{kOrderSpecial, {0}}}}).substr(0, 2),
            "\xc2\x06"s);
}

TEST(Writer, PacksLists) {
  EXPECT_EQ(data_bytes(std::vector<std::int64_t>{}), "\x42\x00"s);
  EXPECT_EQ(data_bytes(std::vector<std::int64_t>{2, 300}), "\x42\x05\x0a\x03\x02\xac\x02"s);
  EXPECT_EQ(data_bytes(std::vector<bool>{true, false}), "\x32\x04\x0a\x02\x01\x00"s);
  EXPECT_EQ(data_bytes(std::vector<std::int64_t>{-1}),
            "\x42\x0c\x0a\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
}

TEST(Writer, WritesKeysOfOrdersAsTenByteVarints) {
  const std::string bytes = data_bytes(DimensionOrders{{kOrderSpecial, {0, kOrderIncrement}}});
  const std::string axes = bytes_field(1, "\0\xff\xff\xff\xff\x07"s);
  EXPECT_EQ(bytes, bytes_field(103, bytes_field(1, varint_field(1, ~std::uint64_t{0}) +
                                                       bytes_field(2, axes))));
}

TEST(Writer, LeavesOutZeroFieldsAndKeepsEmptyInputs) {
  MetaGraph meta;
  meta.descriptors.push_back({"", 0, true});
  meta.graphs.emplace_back().nodes.emplace_back().inputs = {""};
  EXPECT_EQ(encode(meta), "\x1a\x02\x18\x01\x22\x04\x12\x02\x12\x00"s);
}

TEST(Writer, FeedsBlobsWithoutACopy) {
  const std::string weights(1000, 'w');
  MetaGraph meta = head();
  meta.referenced_data.emplace_back("a", Blob{ByteView(std::string_view(weights))});
  meta.referenced_data.emplace_back("b", Blob{});
  meta.referenced_data.emplace_back("c", std::int64_t{1});
  bool fed = false;
  write(meta, [&](ByteView piece) {
    fed = fed || reinterpret_cast<const char*>(piece.data) == weights.data();
  });
  EXPECT_TRUE(fed);
  const std::string bytes = encode(meta);
  const MetaGraph again = read(ByteView(std::string_view(bytes)), nullptr, "again");
  EXPECT_EQ(std::get<Blob>(*find(again.referenced_data, "a")).bytes.text(), weights);
  EXPECT_EQ(std::get<Blob>(*find(again.referenced_data, "b")).bytes.size, 0U);
  EXPECT_EQ(encode(again), bytes);
}

TEST(Writer, RealFilesSurviveARoundTripByteForByte) {
  const auto paths = real_uff_files();
  if (paths.empty()) GTEST_SKIP() << "no real files beside the checkout";
  for (const auto& path : paths) {
    const auto file = MappedFile::open(path);
    EXPECT_TRUE(encode(read_file(path)) == file->bytes().text()) << path;
  }
}

TEST(Writer, WritesAFileThatReadsBack) {
  const std::string path = testing::TempDir() + "writer_test.uff";
  write_file(head(), path);
  EXPECT_EQ(MappedFile::open(path)->bytes().text(), encode(head()));
  EXPECT_EQ(read_file(path).graphs.at(0).id, "main");
  std::filesystem::remove(path);
  EXPECT_THROW(write_file(head(), "/nonexistent/file.uff"), InputError);
}

}  // namespace
}  // namespace chexnet_trt::uff
