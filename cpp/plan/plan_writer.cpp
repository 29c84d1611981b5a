#include "plan/plan_writer.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "plan/format.hpp"

namespace chexnet_trt {
namespace {

template <typename Integer>
void store(std::vector<std::byte>& bytes, std::size_t offset, Integer value) {
  for (std::size_t index = 0; index < sizeof value; ++index) {
    bytes.at(offset + index) = static_cast<std::byte>(value >> (8 * index));
  }
}

void check_names(const std::vector<PlanSection>& sections) {
  std::set<std::string> names;
  for (const PlanSection& section : sections) {
    const std::string& name = section.name;
    const bool printable =
        std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (name.empty() || name.size() >= kPlanNameSize || !printable || !names.insert(name).second) {
      throw Error("'" + name + "' cannot name a section of an engine file");
    }
  }
}

std::vector<PlanEntry> measure(const std::vector<PlanSection>& sections) {
  std::vector<PlanEntry> entries;
  std::uint64_t end = kPlanHeaderSize + kPlanEntrySize * sections.size();
  for (const PlanSection& section : sections) {
    Checksum sum;
    PlanEntry entry{section.name, plan_aligned(end), 0, 0};
    section.stream([&](ByteView bytes) {
      sum.update(bytes);
      entry.size += bytes.size;
    });
    entry.checksum = sum.digest();
    end = entry.offset + entry.size;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<std::byte> header_and_table(const std::vector<PlanEntry>& entries) {
  std::vector<std::byte> bytes(kPlanHeaderSize + kPlanEntrySize * entries.size());
  const ByteView magic(kPlanMagic);
  std::copy(magic.begin(), magic.end(), bytes.begin());
  const std::uint64_t file_size =
      entries.empty() ? bytes.size() : entries.back().offset + entries.back().size;
  store(bytes, 8, kPlanVersion);
  store(bytes, 12, static_cast<std::uint32_t>(kPlanHeaderSize));
  store(bytes, 16, file_size);
  store(bytes, 24, static_cast<std::uint32_t>(entries.size()));
  store(bytes, 28, static_cast<std::uint32_t>(kPlanEntrySize));
  std::size_t at = kPlanHeaderSize;
  for (const PlanEntry& entry : entries) {
    const ByteView name(entry.name);
    std::copy(name.begin(), name.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    store(bytes, at + kPlanNameSize, entry.offset);
    store(bytes, at + kPlanNameSize + 8, entry.size);
    store(bytes, at + kPlanNameSize + 16, entry.checksum);
    at += kPlanEntrySize;
  }
  store(bytes, kPlanChecksumOffset, checksum({bytes.data(), bytes.size()}));
  return bytes;
}

}  // namespace

PlanSection plan_section(std::string name, ByteView bytes) {
  return {std::move(name), [bytes](const ByteSink& sink) { sink(bytes); }};
}

void write_plan(const std::string& path, const std::vector<PlanSection>& sections) {
  constexpr std::array<std::byte, kPlanAlignment> kZeros{};
  check_names(sections);
  const std::vector<PlanEntry> entries = measure(sections);
  const std::vector<std::byte> head = header_and_table(entries);
  AtomicFile file(path);
  file.write({head.data(), head.size()});
  std::uint64_t end = head.size();
  for (std::size_t index = 0; index < sections.size(); ++index) {
    const PlanEntry& entry = entries[index];
    file.write({kZeros.data(), static_cast<std::size_t>(entry.offset - end)});
    end = entry.offset;
    sections[index].stream([&](ByteView bytes) {
      file.write(bytes);
      end += bytes.size;
    });
    if (end != entry.offset + entry.size) {
      throw Error("section '" + entry.name + "' changed while it was written");
    }
  }
  file.commit();
}

}  // namespace chexnet_trt
