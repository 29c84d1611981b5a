#include "backends/registry.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

TEST(Registry, ListsEveryBackendWithAReasonWhereItIsMissing) {
  const std::vector<BackendStatus> all = backends();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "openvino");
  EXPECT_EQ(all[0].missing, "");
  EXPECT_EQ(all[0].cannot_run, "");
  EXPECT_EQ(all[1].name, "cuda");
  for (const BackendStatus& status : all) {
    if (status.missing.empty()) {
      EXPECT_EQ(backend(status.name).cannot_run(), status.cannot_run) << status.name;
      continue;
    }
    try {
      backend(status.name);
      FAIL() << status.name << " should be missing";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(status.name), std::string::npos);
      EXPECT_NE(std::string(error.what()).find(status.missing), std::string::npos);
    }
  }
  EXPECT_THROW(backend("opnevino"), InputError);
}

TEST(Registry, SharesOneBackend) { EXPECT_EQ(&backend("openvino"), &backend("openvino")); }

TEST(Registry, TakesADeviceBehindTheName) {
  EXPECT_EQ(&backend(on_device("openvino", 0)), &backend("openvino"));
  for (const std::string name : {"openvino:", "openvino:x", "openvino:-1", "openvino:1x"}) {
    EXPECT_THROW(backend(name), InputError) << name;
  }
  try {
    backend(on_device("openvino", 1));
    FAIL() << "should have one device";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "device 1: the backend 'openvino' has device 0 alone here");
  }
}

}  // namespace
}  // namespace chexnet_trt
