#include "uff/model.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace chexnet_trt::uff {
namespace {

TEST(Model, FindsFields) {
  const Fields fields{{"axis", std::int64_t{3}}, {"func", std::string_view("add")}};
  ASSERT_NE(find(fields, "func"), nullptr);
  EXPECT_EQ(std::get<std::string_view>(*find(fields, "func")), "add");
  EXPECT_EQ(find(fields, "missing"), nullptr);
}

TEST(Model, FollowsReferencesToReferences) {
  MetaGraph meta;
  meta.referenced_data = {{"a", Reference{"b"}}, {"b", 2.5}};
  EXPECT_EQ(std::get<double>(resolve(meta, Reference{"a"})), 2.5);
}

TEST(Model, RefusesMissingAndCircularReferences) {
  MetaGraph meta;
  meta.referenced_data = {{"a", Reference{"b"}}, {"b", Reference{"a"}}};
  EXPECT_THROW(resolve(meta, Reference{"a"}), InputError);
  EXPECT_THROW(resolve(meta, Reference{"c"}), InputError);
}

}  // namespace
}  // namespace chexnet_trt::uff
