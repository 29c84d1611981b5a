#include "plan/plan_reader.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "common/mapped_file.hpp"
#include "plan/foreign.hpp"

namespace chexnet_trt {
namespace {

[[noreturn]] void fail(const std::string& name, const std::string& message) {
  throw InputError("'" + name + "' " + message);
}

/// The caller checks that the bytes are there.
template <typename Integer>
Integer load(ByteView bytes, std::size_t offset) {
  Integer value = 0;
  for (std::size_t index = sizeof value; index-- > 0;) {
    value =
        static_cast<Integer>(value << 8U) | std::to_integer<Integer>(bytes.data[offset + index]);
  }
  return value;
}

/// Name and version: what every format shares.
void check_kind(ByteView file, const std::string& name) {
  if (file.size == 0) fail(name, "is empty; build the engine again");
  const std::string_view magic = file.text().substr(0, kPlanMagic.size());
  if (magic != kPlanMagic.substr(0, magic.size())) {
    fail(name, "is not an engine file: " + describe_foreign(file));
  }
  if (file.size < 12) {
    fail(name, "is truncated: it has " + std::to_string(file.size) +
                   " bytes, less than a header; copy or build it again");
  }
  const auto version = load<std::uint32_t>(file, 8);
  if (version > kPlanVersion) {
    fail(name, "has format " + std::to_string(version) + ", this build reads up to " +
                   std::to_string(kPlanVersion) + "; upgrade chexnet_trt or build it again");
  }
  if (version == 0)
    fail(name, "has a damaged header: there is no format 0; copy or build it again");
}

void check_complete(ByteView file, const std::string& name) {
  if (file.size < kPlanHeaderSize) {
    fail(name, "is truncated: it has " + std::to_string(file.size) + " of the " +
                   std::to_string(kPlanHeaderSize) +
                   " bytes of its header; copy or build it again");
  }
  const auto size = load<std::uint64_t>(file, 16);
  if (file.size < size) {
    fail(name, "is truncated: it has " + std::to_string(file.size) + " of " + std::to_string(size) +
                   " bytes; copy or build it again");
  }
  if (file.size > size) {
    fail(name, "has " + std::to_string(file.size) + " bytes where its header says " +
                   std::to_string(size) + "; copy or build it again");
  }
}

[[noreturn]] void fail_header(const std::string& name, const std::string& what) {
  fail(name, "has a damaged header (" + what + "); copy or build it again");
}

/// Size of header and table together.
std::size_t head_size(ByteView file, const std::string& name) {
  const auto count = load<std::uint32_t>(file, 24);
  if (load<std::uint32_t>(file, 12) != kPlanHeaderSize ||
      load<std::uint32_t>(file, 28) != kPlanEntrySize || count > kPlanMaxSections) {
    fail_header(name, "impossible sizes");
  }
  const std::size_t size = kPlanHeaderSize + kPlanEntrySize * count;
  if (size > file.size) fail_header(name, "the section table is larger than the file");
  return size;
}

void check_head_checksum(ByteView file, const std::string& name) {
  constexpr std::array<std::byte, 8> kZeros{};
  const std::size_t size = head_size(file, name);
  const std::size_t after = kPlanChecksumOffset + kZeros.size();
  Checksum sum;
  sum.update(file.subview(0, kPlanChecksumOffset));
  sum.update({kZeros.data(), kZeros.size()});
  sum.update(file.subview(after, size - after));
  if (sum.digest() != load<std::uint64_t>(file, kPlanChecksumOffset)) {
    fail_header(name, "its checksum differs");
  }
}

PlanEntry parse_entry(ByteView row, const std::string& file_name) {
  const std::string_view field = row.text().substr(0, kPlanNameSize);
  const std::string_view text = field.substr(0, field.find('\0'));
  const std::string_view rest = field.substr(text.size());
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (text.empty() || rest.empty() || !printable ||
      rest.find_first_not_of('\0') != std::string_view::npos) {
    fail_header(file_name, "a section has no valid name");
  }
  return {std::string(text), load<std::uint64_t>(row, kPlanNameSize),
          load<std::uint64_t>(row, kPlanNameSize + 8),
          load<std::uint64_t>(row, kPlanNameSize + 16)};
}

/// `end`: where the bytes before this section end.
void check_place(const PlanEntry& entry, ByteView file, std::uint64_t end,
                 const std::string& file_name) {
  const std::string section = "section '" + entry.name + "'";
  if (entry.offset % kPlanAlignment != 0) fail_header(file_name, section + " is not aligned");
  if (entry.offset < end) fail_header(file_name, section + " overlaps what is before it");
  if (entry.offset > file.size || entry.size > file.size - entry.offset) {
    fail_header(file_name, section + " lies outside the file");
  }
  const ByteView gap = file.subview(end, entry.offset - end);
  if (std::any_of(gap.begin(), gap.end(), [](std::byte byte) { return byte != std::byte{0}; })) {
    fail(file_name, "is damaged before " + section + "; copy or build it again");
  }
}

}  // namespace

bool has_plan_magic(ByteView file) {
  return file.text().substr(0, kPlanMagic.size()) == kPlanMagic;
}

std::vector<PlanEntry> parse_section_table(ByteView file, const std::string& name) {
  check_kind(file, name);
  check_complete(file, name);
  const std::size_t head = head_size(file, name);
  std::vector<PlanEntry> entries;
  std::set<std::string> names;
  std::uint64_t end = head;
  for (std::size_t at = kPlanHeaderSize; at < head; at += kPlanEntrySize) {
    PlanEntry entry = parse_entry(file.subview(at, kPlanEntrySize), name);
    check_place(entry, file, end, name);
    if (!names.insert(entry.name).second) {
      fail_header(name, "two sections are called '" + entry.name + "'");
    }
    end = entry.offset + entry.size;
    entries.push_back(std::move(entry));
  }
  if (end != file.size) fail_header(name, "there are bytes after the last section");
  return entries;
}

PlanReader PlanReader::open(const std::string& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  return {file->bytes(), path, file};
}

PlanReader::PlanReader(ByteView file, std::string name, std::shared_ptr<const void> owner)
    : file_(file), name_(std::move(name)), owner_(std::move(owner)) {
  check_kind(file_, name_);
  check_complete(file_, name_);
  check_head_checksum(file_, name_);
  entries_ = parse_section_table(file_, name_);
  for (const PlanEntry& entry : entries_) {
    if (checksum(file_.subview(entry.offset, entry.size)) != entry.checksum) {
      fail(name_, "is damaged in section '" + entry.name +
                      "' (its checksum differs); copy or build it again");
    }
  }
}

std::optional<ByteView> PlanReader::find(std::string_view section) const {
  for (const PlanEntry& entry : entries_) {
    if (entry.name == section) return file_.subview(entry.offset, entry.size);
  }
  return std::nullopt;
}

ByteView PlanReader::section(std::string_view section) const {
  const std::optional<ByteView> found = find(section);
  if (!found) fail(name_, "has no section '" + std::string(section) + "'; build it again");
  return *found;
}

}  // namespace chexnet_trt
