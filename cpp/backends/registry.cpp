#include "backends/registry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <mutex>
#include <utility>

#include "backends/openvino/backend.hpp"
#include "common/error.hpp"
#if defined(CHEXNET_TRT_CUDA)
#include "backends/cuda/backend.hpp"
#endif

namespace chexnet_trt {
namespace {

struct Entry {
  std::string_view name;
  std::unique_ptr<Backend> (*make)(int device);  ///< nullptr: not in this build
  std::string (*missing)();
  std::string (*cannot_run)();
  int (*devices)();
};

std::string nothing_missing() { return ""; }
int no_device() { return 0; }
int one_device() { return 1; }
#if !defined(CHEXNET_TRT_CUDA)
std::string cuda_not_built() {
  return "this build has no CUDA kernels: build it where the CUDA toolkit (nvcc) is installed";
}
#endif
std::string tensorrt_in_python() {
  return "its engines are made and run by chexnet_trt.tensorrt; calibrate with openvino";
}

std::unique_ptr<Backend> make_openvino(int /*device*/) { return openvino::make_backend(); }

constexpr std::array<Entry, 3> kEntries{{
    {"openvino", make_openvino, nothing_missing, nothing_missing, one_device},
#if defined(CHEXNET_TRT_CUDA)
    {"cuda", cuda::make_backend, nothing_missing, cuda::cannot_run, cuda::device_count},
#else
    {"cuda", nullptr, cuda_not_built, cuda_not_built, no_device},
#endif
    {"tensorrt", nullptr, tensorrt_in_python, tensorrt_in_python, no_device},
}};

const Entry& entry_of(std::string_view name) {
  std::string known;
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw InputError("unknown backend '" + std::string(name) + "': " + known);
}

/// "cuda:1" as its two parts.
std::pair<std::string_view, int> parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {text, 0};
  int device = -1;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data() + colon + 1, end, device);
  if (code != std::errc() || stop != end || device < 0) {
    throw InputError("backend '" + std::string(text) + "': a device is a number from 0 on");
  }
  return {text.substr(0, colon), device};
}

void check_device(const Entry& entry, int device) {
  const int count = std::max(entry.devices(), 1);  // without one it still compiles
  if (device < count) return;
  throw InputError(
      "device " + std::to_string(device) + ": the backend '" + std::string(entry.name) + "' has " +
      (count == 1 ? "device 0 alone" : "devices 0 ... " + std::to_string(count - 1)) + " here");
}

}  // namespace

std::vector<BackendStatus> backends() {
  std::vector<BackendStatus> result;
  result.reserve(kEntries.size());
  for (const Entry& entry : kEntries) {
    result.push_back(
        {std::string(entry.name), entry.devices(), entry.missing(), entry.cannot_run()});
  }
  return result;
}

Backend& backend(std::string_view name) {
  const auto [kind, device] = parse(name);
  const Entry& entry = entry_of(kind);
  const std::string missing = entry.missing();
  if (!missing.empty()) throw InputError("backend '" + std::string(kind) + "': " + missing);
  check_device(entry, device);
  // Never destroyed: a device's threads may outlive static destruction.
  static auto& made = *new std::map<std::pair<std::string_view, int>, std::unique_ptr<Backend>>();
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Backend>& slot = made[{entry.name, device}];
  if (slot == nullptr) slot = entry.make(device);
  return *slot;
}

std::string on_device(std::string_view backend, int device) {
  return std::string(backend) + ":" + std::to_string(device);
}

}  // namespace chexnet_trt
