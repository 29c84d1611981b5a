#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

#include "backends/cuda/memory_estimate.hpp"

namespace chexnet_trt::cuda {

/// Raises BackendError "what: CUDA's message" unless `status` is success.
void check(cudaError_t status, const char* what);

/// Of the current device.
DeviceMemorySize memory_size();

/// Memory of the current device. Raises BackendError that says how much was asked for and how much
/// is free.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(std::size_t bytes, const std::string& what);
  ~DeviceBuffer();
  DeviceBuffer(DeviceBuffer&& other) noexcept;
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Page-locked host memory, which the device reads and writes without the CPU.
class PinnedBuffer {
 public:
  /// Raises BackendError.
  explicit PinnedBuffer(std::size_t bytes);
  ~PinnedBuffer();
  PinnedBuffer(PinnedBuffer&& other) noexcept;
  PinnedBuffer& operator=(PinnedBuffer&&) = delete;

  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
};

/// Whether copies between `data` and a device pass the CPU by.
bool is_page_locked(const void* data);

class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

/// A point in a stream, with its time.
class Event {
 public:
  Event();
  ~Event();
  Event(Event&& other) noexcept;
  Event& operator=(Event&&) = delete;

  void record(cudaStream_t stream);
  /// Into the graph that `stream` is capturing: recorded whenever that runs.
  void record_in_graph(cudaStream_t stream);
  void wait();
  bool is_over();
  /// From `start` to this; both are over.
  double milliseconds_since(const Event& start) const;

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace chexnet_trt::cuda
