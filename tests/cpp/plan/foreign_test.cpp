#include "plan/foreign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chexnet_trt {
namespace {

TEST(Foreign, AFileShorterThanASignatureIsOfNoKind) {
  EXPECT_THAT(describe_foreign(ByteView(std::string_view("ftr"))), testing::HasSubstr("no known"));
  EXPECT_THAT(describe_foreign(ByteView()), testing::HasSubstr("no known"));
}

TEST(Foreign, SavedModelsAreNotTakenForUffOrOnnx) {
  EXPECT_THAT(describe_foreign(ByteView(std::string_view("\x08\x01\x12\x00", 4))),
              testing::HasSubstr("SavedModel"));
}

}  // namespace
}  // namespace chexnet_trt
