#include "common/hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace chexnet_trt {
namespace {

std::string sha256(const std::string& text, std::size_t piece) {
  Sha256 sha;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    sha.update(ByteView(std::string_view(text).substr(at, piece)));
  }
  return sha.hex_digest();
}

// Vectors of FIPS 180-4.
TEST(Sha256, KnownVectors) {
  EXPECT_EQ(sha256("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc", 1), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 7),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, PiecesDoNotMatter) {
  const std::string text(1000, 'a');
  for (const std::size_t piece : {1U, 3U, 63U, 64U, 65U, 1000U}) {
    EXPECT_EQ(sha256(text, piece),
              "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
  }
}

// Vectors computed with the xxhash package for Python.
TEST(Checksum, KnownVectors) {
  EXPECT_EQ(checksum(ByteView(std::string_view(""))), 0xEF46DB3751D8E999U);
  EXPECT_EQ(checksum(ByteView(std::string_view("a"))), 0xD24EC4F1A98C6E5BU);
  EXPECT_EQ(checksum(ByteView(std::string_view("abc"))), 0x44BC2CF5AD770999U);
  EXPECT_EQ(checksum(ByteView(std::string(1000, 'a'))), 0x56E43B712EDA4223U);
}

TEST(Checksum, PiecesDoNotMatter) {
  const std::string text(1000, 'a');
  for (const std::size_t piece : {1U, 7U, 31U, 32U, 33U, 999U}) {
    Checksum sum;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      sum.update(ByteView(std::string_view(text).substr(at, piece)));
    }
    EXPECT_EQ(sum.digest(), 0x56E43B712EDA4223U) << piece;
  }
}

}  // namespace
}  // namespace chexnet_trt
