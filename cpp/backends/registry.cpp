#include "backends/registry.hpp"

#include <array>
#include <mutex>

#include "backends/openvino/backend.hpp"
#include "common/error.hpp"
#if defined(CHEXNET_TRT_CUDA)
#include "backends/cuda/backend.hpp"
#endif

namespace chexnet_trt {
namespace {

struct Entry {
  std::string_view name;
  std::unique_ptr<Backend> (*make)();  ///< nullptr: not in this build
  std::string (*missing)();
};

std::string nothing_missing() { return ""; }
#if !defined(CHEXNET_TRT_CUDA)
std::string cuda_not_built() {
  return "this build has no CUDA kernels: build it where the CUDA toolkit (nvcc) is installed";
}
#endif
std::string tensorrt_in_python() {
  return "its engines are made and run by chexnet_trt.tensorrt; calibrate with openvino";
}

constexpr std::array<Entry, 3> kEntries{{
    {"openvino", openvino::make_backend, nothing_missing},
#if defined(CHEXNET_TRT_CUDA)
    {"cuda", cuda::make_backend, cuda::missing},
#else
    {"cuda", nullptr, cuda_not_built},
#endif
    {"tensorrt", nullptr, tensorrt_in_python},
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
    result.push_back({std::string(entry.name), entry.missing()});
  }
  return result;
}

Backend& backend(std::string_view name) {
  const Entry& entry = entry_of(name);
  const std::string missing = entry.missing();
  if (!missing.empty()) throw InputError("backend '" + std::string(name) + "': " + missing);
  // Never destroyed: a device's threads may outlive static destruction.
  static auto& made = *new std::array<std::unique_ptr<Backend>, kEntries.size()>();
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Backend>& slot = made.at(static_cast<std::size_t>(&entry - kEntries.data()));
  if (slot == nullptr) slot = entry.make();
  return *slot;
}

}  // namespace chexnet_trt
