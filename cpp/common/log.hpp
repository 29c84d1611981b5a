#pragma once

#include <functional>
#include <string>

namespace chexnet_trt {

enum class Severity { kWarning, kInfo, kVerbose };

using LogSink = std::function<void(Severity, const std::string&)>;

/// Where `log` goes; nothing is printed without a sink. Python forwards to `logging`.
void set_log_sink(LogSink sink);

/// Thread-safe.
void log(Severity severity, const std::string& message);

}  // namespace chexnet_trt
