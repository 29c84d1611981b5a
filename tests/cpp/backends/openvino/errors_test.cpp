#include "backends/openvino/errors.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace chexnet_trt::openvino {
namespace {

TEST(FirstUsefulLine, SkipsSourceLocations) {
  EXPECT_EQ(first_useful_line("Exception from src/inference/src/cpp/core.cpp:107:\n"
                              "Check 'x == y' failed at src/core/a.cpp:12:\n"
                              "While validating node 'Add':\n"
                              "Argument shapes are inconsistent.\n"),
            "Argument shapes are inconsistent.");
  EXPECT_EQ(first_useful_line("Check 'a' failed at b.cpp:1: no room"), "no room");
  EXPECT_EQ(first_useful_line("plain"), "plain");
}

TEST(FirstUsefulLine, AlwaysSaysSomething) {
  EXPECT_EQ(first_useful_line(""), "no reason given");
  EXPECT_FALSE(first_useful_line("Exception from a.cpp:1:\n").empty());
}

TEST(Guarded, TurnsForeignExceptionsIntoBackendErrors) {
  EXPECT_THROW(guarded("x", []() -> int { throw std::runtime_error("boom"); }), BackendError);
  EXPECT_THROW(guarded("x", []() -> int { throw InputError("mine"); }), InputError);
}

}  // namespace
}  // namespace chexnet_trt::openvino
