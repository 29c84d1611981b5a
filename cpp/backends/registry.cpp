#include "backends/registry.hpp"

#include <array>
#include <mutex>

#include "backends/openvino/backend.hpp"
#include "common/error.hpp"

namespace chexnet_trt {
namespace {

struct Entry {
  std::string_view name;
  std::unique_ptr<Backend> (*make)();  ///< nullptr: not in this build
  std::string_view missing;
};

constexpr std::array<Entry, 3> kEntries{{
    {"openvino", openvino::make_backend, ""},
    {"cuda", nullptr, "this version runs on CPUs only; GPUs are planned"},
    {"tensorrt", nullptr,
     "its engines are made and run by chexnet_trt.tensorrt; calibrate with openvino"},
}};

const Entry& entry_of(std::string_view name) {
  std::string known;
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw InputError("unknown backend '" + std::string(name) + "': " + known);
}

}  // namespace

std::vector<BackendStatus> backends() {
  std::vector<BackendStatus> result;
  result.reserve(kEntries.size());
  for (const Entry& entry : kEntries) {
    result.push_back({std::string(entry.name), std::string(entry.missing)});
  }
  return result;
}

Backend& backend(std::string_view name) {
  const Entry& entry = entry_of(name);
  if (entry.make == nullptr) {
    throw InputError("backend '" + std::string(name) + "': " + std::string(entry.missing));
  }
  // Never destroyed: a device's threads may outlive static destruction.
  static auto& made = *new std::array<std::unique_ptr<Backend>, kEntries.size()>();
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Backend>& slot = made.at(static_cast<std::size_t>(&entry - kEntries.data()));
  if (slot == nullptr) slot = entry.make();
  return *slot;
}

}  // namespace chexnet_trt
