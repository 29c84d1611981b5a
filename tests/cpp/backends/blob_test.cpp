#include "backends/blob.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

CompileOptions some_options() {
  CompileOptions options;
  options.batch = 3;
  options.precision = Precision::kBFloat16;
  return options;
}

std::vector<std::byte> some_blob() {
  BlobWriter writer("device A", some_options());
  for (int i = 0; i < 100; ++i) writer.bytes().push_back(static_cast<std::byte>(i));
  return writer.finish();
}

ByteView view(const std::vector<std::byte>& bytes) { return {bytes.data(), bytes.size()}; }

TEST(Blob, ReturnsThePayloadAligned) {
  const std::vector<std::byte> blob = some_blob();
  const ByteView payload = blob_payload(view(blob), "device A", some_options());
  ASSERT_EQ(payload.size, 100U);
  EXPECT_EQ(payload.data[99], std::byte{99});
  EXPECT_EQ((payload.data - blob.data()) % 64, 0);
}

TEST(Blob, RefusesWhatDoesNotFit) {
  const std::vector<std::byte> blob = some_blob();
  EXPECT_THROW(blob_payload(view(blob), "device B", some_options()), BackendError);
  CompileOptions other = some_options();
  other.batch = 4;
  EXPECT_THROW(blob_payload(view(blob), "device A", other), BackendError);
  other = some_options();
  other.precision = Precision::kFloat32;
  EXPECT_THROW(blob_payload(view(blob), "device A", other), BackendError);
}

TEST(Blob, RefusesEveryTruncationAndEveryFlippedByte) {
  std::vector<std::byte> blob = some_blob();
  for (std::size_t size = 0; size < blob.size(); ++size) {
    EXPECT_THROW(blob_payload({blob.data(), size}, "device A", some_options()), BackendError);
  }
  for (std::byte& byte : blob) {
    byte ^= std::byte{0x10};
    EXPECT_THROW(blob_payload(view(blob), "device A", some_options()), BackendError);
    byte ^= std::byte{0x10};
  }
}

}  // namespace
}  // namespace chexnet_trt
