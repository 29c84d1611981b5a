#pragma once

#include <cstdint>

#include "backends/cuda/kernels/shared_barrier.cuh"

namespace chexnet_trt::cuda {

/// An image in global memory whose chunks, one behind the other, are copied to slots in shared memory.
struct ImageParts {
  const void* image = nullptr;
  int chunks = 0;
  int slots = 0;       ///< as many as chunks: each is filled just once
  int slot_bytes = 0;  ///< of a chunk, too
};

/// The slots as a warp sees them, one turn after the other: chunk after chunk, tile after tile.
class SlotRing {
 public:
  __device__ SlotRing(const ImageParts& parts, unsigned slots, unsigned barriers)
      : parts_(parts), slots_(slots), barriers_(barriers) {}

  /// By one thread, before __syncthreads; begins to fill all slots.
  __device__ void init(int warps) {
    for (int slot = 0; slot < parts_.slots; ++slot) {
      init_barrier(full(slot), 1);
      init_barrier(empty(slot), warps);
    }
    publish_barriers();
    for (int slot = 0; slot < parts_.slots; ++slot) fill(slot, slot);
  }
  /// Until this turn's slot is full; its address.
  __device__ unsigned wait() const {
    wait_for_phase(full(slot_), keeps_all() ? 0 : parity_);
    return address(slot_);
  }
  /// By one thread: once all warps have done with the slot of the turn before, it is filled with the
  /// chunk that it is to hold next, of which there are `turns_left` from this turn on.
  __device__ void refill(int chunk, int turns_left) const {
    if (keeps_all() || turns_left < parts_.slots) return;
    const bool is_first = slot_ == 0;
    const int slot = (is_first ? parts_.slots : slot_) - 1;
    wait_for_phase(empty(slot), is_first ? parity_ ^ 1 : parity_);
    fill(slot, (chunk + parts_.slots - 1) % parts_.chunks);
  }
  /// This warp has done with the slot; on to the next turn.
  __device__ void release() {
    __syncwarp();
    if (threadIdx.x % 32 == 0) arrive(empty(slot_));
    if (++slot_ < parts_.slots) return;
    slot_ = 0;
    parity_ ^= 1;
  }

 private:
  __device__ bool keeps_all() const { return parts_.slots == parts_.chunks; }
  __device__ void fill(int slot, int chunk) const {
    copy_bulk(address(slot),
              static_cast<const char*>(parts_.image) +
                  static_cast<std::int64_t>(chunk) * parts_.slot_bytes,
              parts_.slot_bytes, full(slot));
  }
  __device__ unsigned address(int slot) const {
    return slots_ + static_cast<unsigned>(slot * parts_.slot_bytes);
  }
  __device__ unsigned full(int slot) const { return barriers_ + static_cast<unsigned>(slot * 16); }
  __device__ unsigned empty(int slot) const { return full(slot) + 8; }

  const ImageParts& parts_;
  unsigned slots_;
  unsigned barriers_;
  int slot_ = 0;
  unsigned parity_ = 0;
};

}  // namespace chexnet_trt::cuda
