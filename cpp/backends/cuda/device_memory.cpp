#include "backends/cuda/device_memory.hpp"

#include <utility>

#include "common/error.hpp"

namespace chexnet_trt::cuda {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // else a later call reports it again
  throw BackendError(std::string(what) + ": " + cudaGetErrorString(status));
}

DeviceMemorySize memory_size() {
  DeviceMemorySize size;
  check(cudaMemGetInfo(&size.free, &size.total), "asking the GPU for its memory");
  return size;
}

DeviceBuffer::DeviceBuffer(std::size_t bytes, const std::string& what) : size_(bytes) {
  void* data = nullptr;
  const cudaError_t status = cudaMalloc(&data, bytes == 0 ? 1 : bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    const DeviceMemorySize there = memory_size();
    throw BackendError("the GPU has no " + mebibytes(bytes) + " for " + what + ", " +
                       mebibytes(there.free) + " of " + mebibytes(there.total) +
                       " are free: use a smaller batch, or end what else uses it");
  }
  check(status, "allocating GPU memory");
  data_ = static_cast<std::byte*>(data);
}

DeviceBuffer::~DeviceBuffer() { cudaFree(data_); }

DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

PinnedBuffer::PinnedBuffer(std::size_t bytes) {
  void* data = nullptr;
  check(cudaHostAlloc(&data, bytes == 0 ? 1 : bytes, cudaHostAllocPortable),
        "allocating page-locked memory");
  data_ = static_cast<std::byte*>(data);
}

PinnedBuffer::~PinnedBuffer() { cudaFreeHost(data_); }

PinnedBuffer::PinnedBuffer(PinnedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)) {}

bool is_page_locked(const void* data) {
  cudaPointerAttributes attributes{};
  if (cudaPointerGetAttributes(&attributes, data) != cudaSuccess) {
    cudaGetLastError();
    return false;
  }
  return attributes.type == cudaMemoryTypeHost;
}

Stream::Stream() {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
}

Stream::~Stream() { cudaStreamDestroy(stream_); }

Event::Event() { check(cudaEventCreate(&event_), "creating an event"); }

Event::~Event() {
  if (event_ != nullptr) cudaEventDestroy(event_);
}

Event::Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}

void Event::record(cudaStream_t stream) {
  check(cudaEventRecord(event_, stream), "recording an event");
}

void Event::record_in_graph(cudaStream_t stream) {
  check(cudaEventRecordWithFlags(event_, stream, cudaEventRecordExternal), "recording an event");
}

void Event::wait() { check(cudaEventSynchronize(event_), "inference failed"); }

bool Event::is_over() {
  const cudaError_t status = cudaEventQuery(event_);
  if (status == cudaErrorNotReady) return false;
  check(status, "inference failed");
  return true;
}

double Event::milliseconds_since(const Event& start) const {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start.event_, event_), "reading the GPU's clock");
  return static_cast<double>(milliseconds);
}

}  // namespace chexnet_trt::cuda
