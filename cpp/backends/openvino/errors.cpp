#include "backends/openvino/errors.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

namespace chexnet_trt::openvino {
namespace {

constexpr std::array<std::string_view, 4> kNoise{"Exception from ", "While validating node",
                                                 "[ GENERAL_ERROR ]", "[ NOT_IMPLEMENTED ]"};

/// Drops "Check '...' failed at file:line:" and keeps what follows it.
std::string without_location(const std::string& line) {
  const std::size_t failed = line.find("' failed at ");
  if (failed == std::string::npos) return line;
  const std::size_t end = line.find(": ", failed);
  return end == std::string::npos ? "" : line.substr(end + 2);
}

std::string trimmed(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return line.substr(begin, line.find_last_not_of(" \t\r:") - begin + 1);
}

bool is_noise(const std::string& line) {
  return std::any_of(kNoise.begin(), kNoise.end(), [&](std::string_view start) {
    return line.compare(0, start.size(), start) == 0;
  });
}

}  // namespace

std::string first_useful_line(const std::string& message) {
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    line = trimmed(without_location(line));
    if (!line.empty() && !is_noise(line)) return line;
  }
  lines.clear();
  lines.seekg(0);
  std::string line;
  std::getline(lines, line);
  return line.empty() ? "no reason given" : trimmed(line);
}

}  // namespace chexnet_trt::openvino
