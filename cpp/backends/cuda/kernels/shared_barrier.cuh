#pragma once

// Barriers in shared memory (PTX ISA, "mbarrier") and bulk copies that complete them: compute
// capability 9.0.

namespace chexnet_trt::cuda {

/// A barrier of 8 bytes whose phase `arrivals` arrivals end.
__device__ inline void init_barrier(unsigned address, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address), "r"(arrivals) : "memory");
}
/// After the last init_barrier, before __syncthreads.
__device__ inline void publish_barriers() {
#if __CUDA_ARCH__ >= 900
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}
__device__ inline void arrive(unsigned barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
/// Until the phase of that parity is over; the first is 0.
__device__ inline void wait_for_phase(unsigned barrier, unsigned parity) {
#if __CUDA_ARCH__ >= 900
  unsigned is_over = 0;
  while (is_over == 0) {
    asm volatile(
        "{.reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, "
        "p;}"
        : "=r"(is_over)
        : "r"(barrier), "r"(parity)
        : "memory");
  }
#endif
}
/// Arrives at `barrier`, whose phase ends once the `bytes` (a multiple of 16) have come as well.
__device__ inline void copy_bulk(unsigned to, const void* from, int bytes, unsigned barrier) {
#if __CUDA_ARCH__ >= 900
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
          "r"(to),
      "l"(from), "r"(bytes), "r"(barrier)
      : "memory");
#endif
}
/// Of `threads` threads, a multiple of 32; 0 is __syncthreads'.
__device__ inline void synchronise(int barrier, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

}  // namespace chexnet_trt::cuda
