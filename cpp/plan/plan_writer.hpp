#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/byte_view.hpp"

namespace chexnet_trt {

using ByteSink = std::function<void(ByteView)>;

/// A section and how to stream its bytes. `stream` is called twice, once to measure and once to
/// write, and feeds the same bytes both times.
struct PlanSection {
  std::string name;
  std::function<void(const ByteSink&)> stream;
};

/// A section whose bytes the caller keeps until it is written.
PlanSection plan_section(std::string name, ByteView bytes);

/// Writes an engine file atomically. Raises InputError when the file cannot be written, and Error
/// on section names that are empty, too long, not printable ASCII or there twice.
void write_plan(const std::string& path, const std::vector<PlanSection>& sections);

}  // namespace chexnet_trt
