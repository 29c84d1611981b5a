#include "backends/timing_cache_file.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "common/log.hpp"
#include "common/mapped_file.hpp"

namespace chexnet_trt {
namespace {

constexpr std::string_view kHeader = "chexnet_trt timing cache 1\n";
constexpr std::string_view kDevice = "device ";

using Devices = std::map<std::string, KernelTimes>;

std::string checksum_line(std::string_view content) {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%016llx\n",
                static_cast<unsigned long long>(checksum(ByteView(content))));
  return text.data();
}

std::string to_text(const Devices& devices) {
  std::string content;
  for (const auto& [fingerprint, times] : devices) {
    content += std::string(kDevice) + fingerprint + "\n";
    for (const auto& [layer, time] : times) {
      std::array<char, 32> milliseconds{};
      std::snprintf(milliseconds.data(), milliseconds.size(), "%.6g", time.milliseconds);
      content += std::string(milliseconds.data()) + "\t" + time.kernel + "\t" + layer + "\n";
    }
  }
  return std::string(kHeader) + checksum_line(content) + content;
}

/// Takes the part of `text` before `end` off it; nothing when `end` is not there.
std::optional<std::string_view> take(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at + 1);
  return part;
}

bool parse_time(std::string_view line, KernelTimes& times) {
  const auto milliseconds = take(line, '\t');
  const auto kernel = take(line, '\t');
  if (!milliseconds || !kernel) return false;
  const double value = std::strtod(std::string(*milliseconds).c_str(), nullptr);
  times.insert_or_assign(std::string(line), KernelTime{std::string(*kernel), value});
  return true;
}

/// `text` after the header; nothing when it is damaged.
std::optional<Devices> parse(std::string_view text) {
  const auto sum = take(text, '\n');
  if (!sum || std::string(*sum) + "\n" != checksum_line(text)) return std::nullopt;
  Devices devices;
  KernelTimes* times = nullptr;
  while (!text.empty()) {
    const auto line = take(text, '\n');
    if (!line) return std::nullopt;
    if (line->substr(0, kDevice.size()) == kDevice) {
      times = &devices[std::string(line->substr(kDevice.size()))];
    } else if (times == nullptr || !parse_time(*line, *times)) {
      return std::nullopt;
    }
  }
  return devices;
}

Devices read(const std::string& path) {
  if (!std::filesystem::exists(path)) return {};
  const auto file = MappedFile::open(path);
  const std::string_view text = file->bytes().text();
  if (text.empty()) return {};
  if (text.substr(0, kHeader.size()) != kHeader) {
    throw InputError("'" + path + "' is no timing cache of this version: name another file");
  }
  std::optional<Devices> devices = parse(text.substr(kHeader.size()));
  if (devices) return *std::move(devices);
  log(Severity::kWarning, "the timing cache '" + path + "' is damaged: kernels are timed again");
  return {};
}

TimingCache& timings_of(const std::string& path, Backend& backend) {
  if (TimingCache* timings = backend.timings()) return *timings;
  throw InputError("timing cache '" + path + "': the backend '" + std::string(backend.name()) +
                   "' times no kernels here; leave it out");
}

}  // namespace

void load_timings(const std::string& path, Backend& backend) {
  TimingCache& timings = timings_of(path, backend);
  timings.add(read(path)[backend.fingerprint()]);
}

void save_timings(const std::string& path, Backend& backend) {
  Devices devices = read(path);
  KernelTimes& times = devices[backend.fingerprint()];
  for (auto& [layer, time] : timings_of(path, backend).times()) {
    times.insert_or_assign(layer, std::move(time));
  }
  const std::string text = to_text(devices);
  write_files({{path, ByteView(text)}});
}

}  // namespace chexnet_trt
