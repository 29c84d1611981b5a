#include "common/log.hpp"

#include <memory>
#include <mutex>
#include <utility>

#include "common/utf8.hpp"

namespace chexnet_trt {
namespace {

std::mutex& sink_mutex() {
  static std::mutex mutex;
  return mutex;
}

std::shared_ptr<const LogSink>& sink_slot() {
  static std::shared_ptr<const LogSink> sink;
  return sink;
}

}  // namespace

void set_log_sink(LogSink sink) {
  const std::lock_guard<std::mutex> lock(sink_mutex());
  sink_slot() = sink ? std::make_shared<const LogSink>(std::move(sink)) : nullptr;
}

void log(Severity severity, const std::string& message) {
  std::shared_ptr<const LogSink> sink;
  {
    const std::lock_guard<std::mutex> lock(sink_mutex());
    sink = sink_slot();
  }
  if (sink) (*sink)(severity, printable(message));
}

}  // namespace chexnet_trt
