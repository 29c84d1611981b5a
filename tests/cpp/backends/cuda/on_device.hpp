#pragma once

#include <gtest/gtest.h>

#include <string>

#include "backends/cuda/backend.hpp"

namespace chexnet_trt::testing {

/// Tests of what a GPU computes; skipped where there is none.
class OnDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string missing = cuda::missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
};

}  // namespace chexnet_trt::testing
