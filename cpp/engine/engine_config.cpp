#include "engine/engine_config.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

/// Values stay on their line.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

Values parse_lines(std::string_view text) {
  Values values;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      throw InputError("the engine's config has a line without '='; build it again");
    }
    values.insert_or_assign(std::string(line.substr(0, equals)),
                            std::string(line.substr(equals + 1)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return values;
}

const std::string& value_of(const Values& values, std::string_view key) {
  const auto found = values.find(key);
  if (found == values.end()) {
    throw InputError("the engine's config lacks '" + std::string(key) + "'; build it again");
  }
  return found->second;
}

template <typename Integer>
Integer integer(const Values& values, std::string_view key, Integer minimum) {
  const std::string& text = value_of(values, key);
  Integer value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < minimum) {
    throw InputError("the engine's config says " + std::string(key) + "=" + text +
                     "; build it again");
  }
  return value;
}

/// `count` parts that differ by 1 at most.
std::vector<std::int64_t> even_parts(std::int64_t total, std::int64_t count) {
  std::vector<std::int64_t> parts(static_cast<std::size_t>(count), total / count);
  for (std::int64_t index = 0; index < total % count; ++index) {
    ++parts[static_cast<std::size_t>(index)];
  }
  return parts;
}

}  // namespace

std::vector<std::int64_t> EngineConfig::slices_of(std::int64_t batch) const {
  if (slice == 0 || batch <= slice || batch / slices_at_once < slice) return {batch};
  const std::int64_t count = (batch + slice - 1) / slice;
  if (slices_at_once > 1) {
    // With two each or more, who is slower than the others computes fewer.
    const std::int64_t rounds = (count + slices_at_once - 1) / slices_at_once;
    const std::int64_t wanted = std::max<std::int64_t>(rounds, 2) * slices_at_once;
    return even_parts(batch, std::min(wanted, batch));
  }
  std::vector<std::int64_t> slices(static_cast<std::size_t>(count), slice);
  slices.back() = batch - (count - 1) * slice;
  return slices;
}

CompileOptions EngineConfig::slice_options(std::int64_t size) const {
  CompileOptions options = compile_options(size);
  options.streams = std::max(streams, slices_at_once);
  return options;
}

CompileOptions EngineConfig::compile_options(std::int64_t batch) const {
  CompileOptions options;
  options.batch = batch;
  options.precision = precision;
  options.threads = threads;
  options.streams = streams;
  options.profiling = profiling;
  return options;
}

std::string to_text(const EngineConfig& config) {
  const auto line = [](const char* key, const std::string& value) {
    return std::string(key) + "=" + one_line(value) + "\n";
  };
  return line("backend", config.backend) +
         line("precision", std::string(name_of(config.precision))) +
         line("max_batch", std::to_string(config.max_batch)) +
         line("threads", std::to_string(config.threads)) +
         line("streams", std::to_string(config.streams)) +
         line("profiling", config.profiling ? "1" : "0") +
         line("slice", std::to_string(config.slice)) +
         line("slices_at_once", std::to_string(config.slices_at_once)) +
         line("fingerprint", config.fingerprint) + line("device", config.device);
}

EngineConfig config_from_text(std::string_view text) {
  const Values values = parse_lines(text);
  EngineConfig config;
  config.backend = value_of(values, "backend");
  config.precision = precision_from_name(value_of(values, "precision"));
  config.max_batch = integer<std::int64_t>(values, "max_batch", 1);
  config.threads = integer<int>(values, "threads", 0);
  config.streams = integer<int>(values, "streams", 1);
  config.profiling = integer<int>(values, "profiling", 0) != 0;
  // Engines of the first days have no such keys.
  if (values.count("slice") != 0) config.slice = integer<std::int64_t>(values, "slice", 0);
  if (values.count("slices_at_once") != 0) {
    config.slices_at_once = integer<int>(values, "slices_at_once", 1);
  }
  config.fingerprint = value_of(values, "fingerprint");
  config.device = value_of(values, "device");
  return config;
}

}  // namespace chexnet_trt
