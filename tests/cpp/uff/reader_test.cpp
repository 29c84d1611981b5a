#include "uff/reader.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/error.hpp"
#include "common/mapped_file.hpp"
#include "uff/real_files.hpp"
#include "uff/wire_bytes.hpp"

namespace chexnet_trt::uff {
namespace {

using namespace std::string_literals;
using Ints = std::vector<std::int64_t>;

MetaGraph read_text(const std::string& bytes) {
  return read(ByteView(std::string_view(bytes)), nullptr, "net.uff");
}

std::string error_of(const std::string& bytes) {
  try {
    read_text(bytes);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

/// The value of the field "f" of the only node; `bytes` must outlive a view.
template <class T>
T field_of(const std::string& bytes) {
  return std::get<T>(*find(read_text(bytes).graphs[0].nodes[0].fields, "f"));
}

std::string file_of(const std::string& data) { return file_with(node_with(data)); }

/// An Input, a Const with its weights, shared orders, and a MarkOutput.
std::string small_file() {
  const std::string input =
      bytes_field(1, "x") + bytes_field(3, "Input") +
      map_entry(4, "dtype", "\xa8\x06\xa0\x80\x08"s) +
      map_entry(4, "shape", bytes_field(8, bytes_field(1, varint(~std::uint64_t{0}) + "\x03")));
  const std::string weights = bytes_field(1, "w") + bytes_field(3, "Const") +
                              map_entry(4, "values", bytes_field(100, "weights_w"));
  const std::string mark =
      bytes_field(1, "MarkOutput_0") + bytes_field(2, "x") + bytes_field(3, "MarkOutput");
  return file_with(bytes_field(2, input) + bytes_field(2, weights) + bytes_field(2, mark),
                   map_entry(5, "weights_w", bytes_field(9, "\1\2\3\4"s)));
}

TEST(Reader, ReadsTheSmallFile) {
  const std::string bytes = small_file();
  const MetaGraph meta = read_text(bytes);
  EXPECT_EQ(meta.version, 1);
  EXPECT_EQ(meta.descriptor_core_version, 1);
  ASSERT_EQ(meta.descriptors.size(), 1U);
  EXPECT_EQ(meta.descriptors[0].id, "tensorflow_extension");
  EXPECT_FALSE(meta.descriptors[0].optional);
  const Graph& graph = meta.graphs.at(0);
  EXPECT_EQ(graph.id, "main");
  ASSERT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(std::get<DataType>(*find(graph.nodes[0].fields, "dtype")), DataType::kFloat32);
  EXPECT_EQ(std::get<Ints>(*find(graph.nodes[0].fields, "shape")), (Ints{-1, 3}));
  EXPECT_EQ(graph.nodes[2].inputs, std::vector<std::string_view>{"x"});
  const Data& blob = resolve(meta, *find(graph.nodes[1].fields, "values"));
  EXPECT_EQ(std::get<Blob>(blob).bytes.text(), "\1\2\3\4"s);
  EXPECT_EQ(reinterpret_cast<const char*>(std::get<Blob>(blob).bytes.data),
            bytes.data() + bytes.size() - 4)
      << "a blob must stay where it lies";
}

TEST(Reader, ReadsEveryMemberOfData) {
  EXPECT_EQ(field_of<std::int64_t>(file_of("\x38\x00"s)), 0);
  EXPECT_FALSE(field_of<bool>(file_of("\x28\x00"s)));
  EXPECT_EQ(field_of<Ints>(file_of("\x42\x00"s)), (Ints{}));
  EXPECT_EQ(field_of<double>(file_of("\x19\0\0\0\0\0\0\xe0\x3f"s)), 0.5);
  EXPECT_EQ(field_of<std::vector<bool>>(file_of(bytes_field(6, bytes_field(1, "\1\0"s)))),
            (std::vector<bool>{true, false}));
  EXPECT_EQ(field_of<std::vector<double>>(
                file_of(bytes_field(4, bytes_field(1, "\0\0\0\0\0\0\xe0\x3f"s)))),
            (std::vector<double>{0.5}));
  EXPECT_EQ(field_of<std::vector<DataType>>(file_of(bytes_field(102, bytes_field(1, "\7"s)))),
            (std::vector<DataType>{static_cast<DataType>(7)}));
  EXPECT_EQ(field_of<DataType>(file_of("\xa8\x06\x07"s)), static_cast<DataType>(7));
  EXPECT_NO_THROW(field_of<std::monostate>(file_of("")));
  const std::string text = file_of(bytes_field(1, "relu"));
  EXPECT_EQ(field_of<std::string_view>(text), "relu");
  const std::string texts = file_of(bytes_field(2, bytes_field(1, "a") + bytes_field(1, "")));
  EXPECT_EQ(field_of<std::vector<std::string_view>>(texts),
            (std::vector<std::string_view>{"a", ""}));
}

TEST(Reader, ReadsOrdersWithANegativeKey) {
  const std::string entry =
      varint_field(1, ~std::uint64_t{0}) + bytes_field(2, bytes_field(1, "\0\2"s));
  const DimensionOrders expected{{-1, {0, 2}}};
  EXPECT_EQ(field_of<DimensionOrders>(file_of(bytes_field(103, bytes_field(1, entry)))), expected);
  EXPECT_EQ(field_of<std::vector<DimensionOrders>>(
                file_of(bytes_field(104, bytes_field(1, bytes_field(1, entry))))),
            (std::vector<DimensionOrders>{expected}));
}

TEST(Reader, ReadsUnpackedAndMixedLists) {
  const std::string mixed = varint_field(1, 5) + bytes_field(1, "\6\7") + varint_field(1, 8);
  EXPECT_EQ(field_of<Ints>(file_of(bytes_field(8, mixed))), (Ints{5, 6, 7, 8}));
  EXPECT_EQ(field_of<std::vector<double>>(file_of(bytes_field(4, "\x09\0\0\0\0\0\0\xe0\x3f"s))),
            (std::vector<double>{0.5}));
}

TEST(Reader, TakesMapEntriesWithTheValueFirst) {
  const std::string entry = bytes_field(2, varint_field(7, 3)) + bytes_field(1, "f");
  EXPECT_EQ(field_of<std::int64_t>(
                file_with(bytes_field(2, bytes_field(1, "n") + bytes_field(4, entry)))),
            3);
}

TEST(Reader, SkipsUnknownFields) {
  const std::string unknown = varint_field(77, 1) + bytes_field(78, "x") + "\xfd\x04\0\0\0\0"s;
  const std::string data = varint_field(7, 3) + unknown;
  const std::string node = bytes_field(1, "n") + unknown + map_entry(4, "f", data);
  EXPECT_EQ(field_of<std::int64_t>(file_with(bytes_field(2, node) + unknown, unknown)), 3);
}

TEST(Reader, ReadsExtraFields) {
  const std::string extra = map_entry(100, "e", varint_field(7, 3));
  const std::string bytes = file_with(bytes_field(2, bytes_field(1, "n") + extra) + extra, extra);
  const MetaGraph meta = read_text(bytes);
  for (const Fields* fields :
       {&meta.extra_fields, &meta.graphs[0].extra_fields, &meta.graphs[0].nodes[0].extra_fields}) {
    EXPECT_EQ(std::get<std::int64_t>(*find(*fields, "e")), 3);
  }
}

TEST(Reader, NamesOtherFormats) {
  EXPECT_NE(error_of("").find("'net.uff' is empty"), std::string::npos);
  EXPECT_NE(error_of("version https://git-lfs.github.com/spec/v1\n").find("git lfs pull"),
            std::string::npos);
  const std::string graph_def = bytes_field(1, bytes_field(1, "x") + bytes_field(2, "Placeholder"));
  EXPECT_NE(error_of(graph_def).find("convert"), std::string::npos);
  const std::string long_node = bytes_field(1, bytes_field(1, std::string(300, 'x')));
  EXPECT_NE(error_of(long_node).find("frozen graph"), std::string::npos);
  EXPECT_NE(error_of("\x08\x01\x12\x00"s).find("SavedModel"), std::string::npos);
  EXPECT_NE(error_of("version: 1\n").find("text form"), std::string::npos);
}

TEST(Reader, WantsExactlyOneGraph) {
  EXPECT_NE(error_of(file_head()).find("0 graphs"), std::string::npos);
  EXPECT_NE(error_of(file_with("", bytes_field(4, ""))).find("2 graphs"), std::string::npos);
}

TEST(Reader, RefusesTwoEntriesOfOneName) {
  const std::string twice = map_entry(5, "k", "") + map_entry(5, "k", "");
  EXPECT_NE(error_of(file_with("", twice)).find("'k' appears twice"), std::string::npos);
}

TEST(Reader, NamesTheNodeOfAMissingReference) {
  const std::string error = error_of(file_of(bytes_field(100, "weights_n")));
  EXPECT_NE(error.find("node 'n' refers to 'weights_n'"), std::string::npos) << error;
}

TEST(Reader, RefusesTextThatIsNotUtf8) {
  EXPECT_NE(error_of(file_of(bytes_field(1, "\xff"))).find("UTF-8"), std::string::npos);
}

TEST(Reader, EveryPrefixOfTheSmallFileIsRefused) {
  const std::string bytes = small_file();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(read_text(bytes.substr(0, size)), InputError) << size;
  }
}

TEST(Reader, EveryPercentOfTheRealFilesIsRefused) {
  const auto paths = real_uff_files();
  if (paths.empty()) GTEST_SKIP() << "no real files beside the checkout";
  for (const auto& path : paths) {
    const auto file = MappedFile::open(path);
    for (std::size_t percent = 0; percent < 100; ++percent) {
      const ByteView part = file->bytes().subview(0, file->bytes().size * percent / 100);
      EXPECT_THROW(read(part, file, path), InputError) << path << " at " << percent << " %";
    }
    EXPECT_NO_THROW(read(file->bytes(), file, path));
  }
}

TEST(Reader, SurvivesAnyFlippedByte) {
  const std::string bytes = small_file();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ flip);
      try {
        read_text(damaged);
      } catch (const InputError&) {
      }
    }
  }
}

}  // namespace
}  // namespace chexnet_trt::uff
