#include "uff/text_format.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace chexnet_trt::uff {
namespace {

std::string text_of(Data data) {
  MetaGraph meta;
  meta.referenced_data.emplace_back("k", std::move(data));
  const std::string text = to_text(meta);
  const std::string before = "referenced_data {\n  key: \"k\"\n  value {\n";
  const std::string after = "  }\n}\n";
  EXPECT_EQ(text.substr(0, before.size()), before);
  return text.substr(before.size(), text.size() - before.size() - after.size());
}

TEST(TextFormat, PrintsNodesAndSortsMaps) {
  MetaGraph meta;
  meta.version = 1;
  meta.descriptors.push_back({"custom", 1, false});
  Graph& graph = meta.graphs.emplace_back();
  graph.id = "main";
  Node& node = graph.nodes.emplace_back();
  node.id = "n";
  node.inputs = {"a", "b"};
  node.operation = "Binary";
  node.fields = {{"z", true}, {"func", std::string_view("add")}};
  EXPECT_EQ(to_text(meta), R"(version: 1
descriptors {
  id: "custom"
  version: 1
}
graphs {
  id: "main"
  nodes {
    id: "n"
    inputs: "a"
    inputs: "b"
    operation: "Binary"
    fields {
      key: "func"
      value {
        s: "add"
      }
    }
    fields {
      key: "z"
      value {
        b: true
      }
    }
  }
}
)");
}

TEST(TextFormat, PrintsEveryMember) {
  EXPECT_EQ(text_of(std::int64_t{0}), "    i: 0\n");
  EXPECT_EQ(text_of(0.20000000298023224), "    d: 0.20000000298023224\n");
  EXPECT_EQ(text_of(1.0), "    d: 1.0\n");
  EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "    d: -inf\n");
  EXPECT_EQ(text_of(Reference{"r"}), "    ref: \"r\"\n");
  EXPECT_EQ(text_of(DataType::kFloat16), "    dtype: DT_FLOAT16\n");
  EXPECT_EQ(text_of(static_cast<DataType>(7)), "    dtype: 7\n");
  EXPECT_EQ(text_of(std::vector<std::int64_t>{}), "    i_list {\n    }\n");
  EXPECT_EQ(text_of(std::vector<bool>{true}), "    b_list {\n      val: true\n    }\n");
  EXPECT_EQ(text_of(std::vector<DimensionOrders>{{{-1, {2}}}}),
            "    dim_orders_list {\n      val {\n        orders {\n          key: -1\n"
            "          value {\n            val: 2\n          }\n        }\n      }\n    }\n");
}

TEST(TextFormat, EscapesText) {
  EXPECT_EQ(text_of(std::string_view("a\"\\\n\t'\x01\xc3")),
            "    s: \"a\\\"\\\\\\n\\t\\'\\001\\303\"\n");
}

TEST(TextFormat, LeavesOutBlobsOfMoreThan32Bytes) {
  const std::string bytes(33, 'x');
  const std::string_view all(bytes);
  EXPECT_EQ(text_of(Blob{ByteView(all.substr(0, 32))}), "    blob: \"" + bytes.substr(1) + "\"\n");
  EXPECT_EQ(text_of(Blob{ByteView(all)}), "    blob: \"(...33 bytes skipped...)\"\n");
}

}  // namespace
}  // namespace chexnet_trt::uff
