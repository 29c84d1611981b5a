#pragma once

#include <gtest/gtest.h>

#include <string>

#include "backends/cuda/backend.hpp"

namespace chexnet_trt::testing {

/// Tests of what a GPU computes; skipped where there is none.
class OnDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = cuda::cannot_run();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
};

}  // namespace chexnet_trt::testing
