#include "common/hash.hpp"

#include <cstring>

namespace chexnet_trt {
namespace {

constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87U;
constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FU;
constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9U;
constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63U;
constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5U;

template <typename Word>
Word load(const std::byte* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

std::uint64_t rotate_left(std::uint64_t value, unsigned count) {
  return (value << count) | (value >> (64U - count));
}

std::uint64_t round64(std::uint64_t accumulator, std::uint64_t lane) {
  return rotate_left(accumulator + lane * kPrime2, 31) * kPrime1;
}

std::uint64_t merge64(std::uint64_t hash, std::uint64_t accumulator) {
  return (hash ^ round64(0, accumulator)) * kPrime1 + kPrime4;
}

void mix_stripe(std::array<std::uint64_t, 4>& lanes, const std::byte* stripe) {
  for (std::size_t lane = 0; lane < 4; ++lane) {
    lanes[lane] = round64(lanes[lane], load<std::uint64_t>(stripe + 8 * lane));
  }
}

std::uint64_t merge_lanes(const std::array<std::uint64_t, 4>& lanes) {
  std::uint64_t hash = rotate_left(lanes[0], 1) + rotate_left(lanes[1], 7) +
                       rotate_left(lanes[2], 12) + rotate_left(lanes[3], 18);
  for (const std::uint64_t lane : lanes) hash = merge64(hash, lane);
  return hash;
}

constexpr std::array<std::uint32_t, 64> kSha256Rounds{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t rotate_right(std::uint32_t value, unsigned count) {
  return (value >> count) | (value << (32U - count));
}

std::uint32_t load_big_endian(const std::byte* from) {
  std::uint32_t word = 0;
  for (int index = 0; index < 4; ++index) {
    word = (word << 8U) | std::to_integer<std::uint32_t>(from[index]);
  }
  return word;
}

}  // namespace

std::uint64_t checksum(ByteView bytes) {
  Checksum sum;
  sum.update(bytes);
  return sum.digest();
}

Checksum::Checksum() : lanes_{kPrime1 + kPrime2, kPrime2, 0, 0U - kPrime1} {}

void Checksum::update(ByteView bytes) {
  buffer_.update(bytes, [this](const std::byte* stripe) { mix_stripe(lanes_, stripe); });
}

std::uint64_t Checksum::digest() const {
  const std::byte* at = buffer_.pending().data;
  std::size_t left = buffer_.pending().size;
  const bool has_stripes = buffer_.total_size() > left;
  std::uint64_t hash = has_stripes ? merge_lanes(lanes_) : kPrime5;
  hash += buffer_.total_size();
  for (; left >= 8; at += 8, left -= 8) {
    hash = rotate_left(hash ^ round64(0, load<std::uint64_t>(at)), 27) * kPrime1 + kPrime4;
  }
  if (left >= 4) {
    hash = rotate_left(hash ^ (load<std::uint32_t>(at) * kPrime1), 23) * kPrime2 + kPrime3;
    at += 4;
    left -= 4;
  }
  for (; left > 0; ++at, --left) {
    hash = rotate_left(hash ^ (std::to_integer<std::uint64_t>(*at) * kPrime5), 11) * kPrime1;
  }
  hash = (hash ^ (hash >> 33U)) * kPrime2;
  hash = (hash ^ (hash >> 29U)) * kPrime3;
  return hash ^ (hash >> 32U);
}

void Sha256::update(ByteView bytes) {
  buffer_.update(bytes, [this](const std::byte* block) { compress(block); });
}

std::string Sha256::hex_digest() {
  const std::uint64_t total_size = buffer_.total_size();
  const std::uint64_t bit_count = total_size * 8;
  std::array<std::byte, 72> padding{std::byte{0x80}};
  const std::size_t zeros = (119 - total_size % 64) % 64;
  for (std::size_t index = 0; index < 8; ++index) {
    padding.at(1 + zeros + index) = static_cast<std::byte>(bit_count >> (56 - 8 * index));
  }
  update({padding.data(), 1 + zeros + 8});
  std::string digest;
  for (const std::uint32_t word : state_) {
    for (int shift = 28; shift >= 0; shift -= 4)
      digest += "0123456789abcdef"[(word >> shift) & 15U];
  }
  return digest;
}

void Sha256::compress(const std::byte* block) {
  std::array<std::uint32_t, 64> words{};
  for (std::size_t index = 0; index < 16; ++index) {
    words[index] = load_big_endian(block + 4 * index);
  }
  for (std::size_t index = 16; index < 64; ++index) {
    const std::uint32_t near = words[index - 2];
    const std::uint32_t far = words[index - 15];
    words[index] = words[index - 16] + words[index - 7] +
                   (rotate_right(far, 7) ^ rotate_right(far, 18) ^ (far >> 3U)) +
                   (rotate_right(near, 17) ^ rotate_right(near, 19) ^ (near >> 10U));
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t index = 0; index < 64; ++index) {
    const std::uint32_t first = h +
                                (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                                ((e & f) ^ (~e & g)) + kSha256Rounds[index] + words[index];
    const std::uint32_t second = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
                                 ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
  }
  const std::array<std::uint32_t, 8> mixed{a, b, c, d, e, f, g, h};
  for (std::size_t index = 0; index < 8; ++index) state_[index] += mixed[index];
}

}  // namespace chexnet_trt
