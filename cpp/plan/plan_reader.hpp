#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/byte_view.hpp"
#include "plan/format.hpp"

namespace chexnet_trt {

/// The section table of an engine file, everything in it checked against the bytes except for
/// checksums. `name` is the file's, for messages. Raises InputError.
std::vector<PlanEntry> parse_section_table(ByteView file, const std::string& name);

/// Whether the bytes begin as an engine file of any format does.
bool has_plan_magic(ByteView file);

/// An engine file whose sections are used where they lie. Every checksum is verified on opening.
class PlanReader {
 public:
  /// Raises InputError with one line that tells an unreadable, empty, foreign, truncated, newer and
  /// damaged file apart.
  static PlanReader open(const std::string& path);
  /// The same over bytes that live as long as `owner`.
  PlanReader(ByteView file, std::string name, std::shared_ptr<const void> owner);

  const std::string& name() const { return name_; }
  const std::vector<PlanEntry>& entries() const { return entries_; }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  std::optional<ByteView> find(std::string_view section) const;
  /// Raises InputError when there is no such section.
  ByteView section(std::string_view section) const;

 private:
  ByteView file_;
  std::string name_;
  std::shared_ptr<const void> owner_;
  std::vector<PlanEntry> entries_;
};

}  // namespace chexnet_trt
