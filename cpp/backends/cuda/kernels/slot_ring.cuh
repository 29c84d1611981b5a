#pragma once

#include "backends/cuda/kernels/back_to_back_shape.cuh"
#include "backends/cuda/kernels/shared_barrier.cuh"

namespace chexnet_trt::cuda {

/// The slots as a warp sees them, one turn after the other: chunk after chunk, tile after tile.
class SlotRing {
 public:
  __device__ SlotRing(const BackToBackKernelArguments& arguments, unsigned slots, unsigned barriers)
      : arguments_(arguments), slots_(slots), barriers_(barriers) {}

  /// By one thread, before __syncthreads; begins to fill all slots.
  __device__ void init(int warps) {
    for (int slot = 0; slot < arguments_.slots; ++slot) {
      init_barrier(full(slot), 1);
      init_barrier(empty(slot), warps);
    }
    publish_barriers();
    for (int slot = 0; slot < arguments_.slots; ++slot) fill(slot, slot);
  }
  /// Until this turn's slot is full; its address.
  __device__ unsigned wait() const {
    wait_for_phase(full(slot_), keeps_all() ? 0 : parity_);
    return address(slot_);
  }
  /// By one thread: once all warps have done with the slot of the turn before, it is filled with the
  /// chunk that it is to hold next, of which there are `turns_left` from this turn on.
  __device__ void refill(int chunk, int turns_left) const {
    if (keeps_all() || turns_left < arguments_.slots) return;
    const bool is_first = slot_ == 0;
    const int slot = (is_first ? arguments_.slots : slot_) - 1;
    wait_for_phase(empty(slot), is_first ? parity_ ^ 1 : parity_);
    fill(slot, (chunk + arguments_.slots - 1) % arguments_.chunks);
  }
  /// This warp has done with the slot; on to the next turn.
  __device__ void release() {
    __syncwarp();
    if (threadIdx.x % 32 == 0) arrive(empty(slot_));
    if (++slot_ < arguments_.slots) return;
    slot_ = 0;
    parity_ ^= 1;
  }

 private:
  __device__ bool keeps_all() const { return arguments_.slots == arguments_.chunks; }
  __device__ void fill(int slot, int chunk) const {
    copy_bulk(address(slot),
              static_cast<const char*>(arguments_.image) +
                  static_cast<std::int64_t>(chunk) * arguments_.slot_bytes,
              arguments_.slot_bytes, full(slot));
  }
  __device__ unsigned address(int slot) const {
    return slots_ + static_cast<unsigned>(slot * arguments_.slot_bytes);
  }
  __device__ unsigned full(int slot) const { return barriers_ + static_cast<unsigned>(slot * 16); }
  __device__ unsigned empty(int slot) const { return full(slot) + 8; }

  const BackToBackKernelArguments& arguments_;
  unsigned slots_;
  unsigned barriers_;
  int slot_ = 0;
  unsigned parity_ = 0;
};

}  // namespace chexnet_trt::cuda
