#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

// Warpgroup matrix instructions of compute capability 9.0 (PTX ISA, "Asynchronous warpgroup level
// matrix instructions"): 64 rows x kColumns columns x 32 bytes, both sides in shared memory.

namespace chexnet_trt::cuda {

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define CHEXNET_TRT_HAS_WGMMA 1
#endif

/// Rows of 128 bytes, the words of each group of 8 rows swizzled over 128 bytes: word w of row r lies
/// at w ^ (r % 8). `address` is a multiple of 1024, or that plus 32 bytes a step.
__device__ inline std::uint64_t matrix_descriptor(unsigned address) {
  constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62;
  constexpr std::uint64_t kGroupStride = std::uint64_t{1024 / 16} << 32;
  constexpr std::uint64_t kUnused = std::uint64_t{1} << 16;
  return kSwizzle128 | kGroupStride | kUnused | ((address & 0x3FFFFU) >> 4);
}

/// Words of 16 bytes without swizzle, those of 8 rows side by side: `pair` bytes from one word of a
/// row to its next, 128 from one group of 8 rows to the next.
__device__ inline std::uint64_t plane_descriptor(unsigned address, int pair) {
  constexpr std::uint64_t kGroupStride = std::uint64_t{128 / 16} << 32;
  return kGroupStride | (static_cast<std::uint64_t>(pair / 16) << 16) | ((address & 0x3FFFFU) >> 4);
}

__device__ inline void hold_register(float& value) { asm volatile("" : "+f"(value)::"memory"); }
__device__ inline void hold_register(int& value) { asm volatile("" : "+r"(value)::"memory"); }

__device__ inline void begin_warpgroup() {
#if defined(CHEXNET_TRT_HAS_WGMMA)
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}
__device__ inline void commit_warpgroup() {
#if defined(CHEXNET_TRT_HAS_WGMMA)
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}
/// Until all products but the last `Pending` are done.
template <int Pending>
__device__ inline void wait_for_warpgroup() {
#if defined(CHEXNET_TRT_HAS_WGMMA)
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
#endif
}
/// Makes what this thread has copied to shared memory visible to the matrix unit.
__device__ inline void publish_copies() {
#if defined(CHEXNET_TRT_HAS_WGMMA)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

/// `sums` += A x B transposed. A thread of the warpgroup holds, for each group of 8 columns, what a
/// fragment of mma.sync holds of its warp's 16 rows.
template <typename T, int Columns>
struct WarpgroupCore;

}  // namespace chexnet_trt::cuda

#if defined(CHEXNET_TRT_HAS_WGMMA)
#include "backends/cuda/kernels/warpgroup_instructions.cuh"
#endif
